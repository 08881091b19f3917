import { expect } from "chai";
import { TurnSlices } from "../../src/lib/turn-slices.ts";

/** Holds the event loop for a time. */
function work(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}

describe("work in slices with rests", () => {
  it("goes on at once while a slice has time, and rests as long as it took when it is over", async () => {
    const slices = new TurnSlices(5);
    expect(slices.pause()).to.equal(undefined);
    work(10);
    const beganMs = performance.now();
    await slices.pause();
    expect(performance.now() - beganMs).to.be.above(8);
    expect(slices.pause()).to.equal(undefined);
  });

  it("takes at most half of the event loop, however much of it there is", async () => {
    const beganMs = performance.now();
    let workedMs = 0;
    const one = async (): Promise<void> => {
      const slices = new TurnSlices(4);
      for (let step = 0; step < 10; step += 1) {
        work(4);
        workedMs += 4;
        await slices.pause();
      }
    };
    await Promise.all([one(), one(), one(), one()]);
    // The first slice of each has not waited for anybody.
    expect(performance.now() - beganMs).to.be.above(1.6 * (workedMs - 16));
  });
});
