import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { Slices, type Steps } from "../../src/lib/slices.ts";

/** Steps that each take about a fifth of a millisecond. */
function* work(count: number, onStep: () => void = () => {}): Steps {
  for (let step = 0; step < count; step += 1) {
    const untilMs = performance.now() + 0.2;
    while (performance.now() < untilMs);
    onStep();
    yield;
  }
}

describe("work in slices", () => {
  it("is done at once where it is little", () => {
    const slices = new Slices(10_000);
    expect(slices.run("a", work(2))).to.equal(undefined);
    slices.close();
  });

  it("lets others have their turn where it is much", async () => {
    const slices = new Slices(2);
    let turns = 0;
    let isDone = false;
    const count = async (): Promise<void> => {
      while (!isDone) {
        turns += 1;
        await nextTurn();
      }
    };
    const counting = count();
    await slices.run("a", work(200));
    isDone = true;
    await counting;
    expect(turns).to.be.at.least(10);
    expect(slices.openOf("a")).to.equal(0);
  });

  it("takes its time of one turn together, however many ask in it", () => {
    const slices = new Slices(2);
    let steps = 0;
    for (let index = 0; index < 50; index += 1)
      void slices.run(
        `owner ${index}`,
        work(20, () => (steps += 1)),
      );
    expect(steps).to.be.below(50);
    slices.close();
  });

  it("is not kept waiting by an owner who asks for more", async () => {
    const slices = new Slices(2);
    let loud = 0;
    for (let index = 0; index < 20; index += 1)
      void slices.run(
        "loud",
        work(200, () => (loud += 1)),
      );
    await slices.run("quiet", work(20));
    expect(loud).to.be.below(2_000);
    slices.close();
  });

  it("rejects with what a step throws, and goes on with the rest", async () => {
    const slices = new Slices(2);
    const blocking = slices.run("a", work(50));
    const failing = slices.run(
      "a",
      (function* (): Steps {
        yield;
        throw new Error("broken");
      })(),
    );
    const later = slices.run("a", work(3));
    await blocking;
    let message = "";
    await failing?.catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.equal("broken");
    await later;
    slices.close();
  });
});
