import { expect } from "chai";
import { SlicedTask } from "../../src/lib/sliced-task.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One step of a millisecond. */
function spin(): void {
  const untilMs = performance.now() + 1;
  while (performance.now() < untilMs);
}

describe("sliced task", () => {
  it("lets others have their turns between its slices, and begins anew when it is done", async () => {
    let steps = 0;
    const task = new SlicedTask(function* () {
      for (let step = 0; step < 100; step += 1) {
        spin();
        steps += 1;
        yield;
      }
    });
    task.start();
    task.start();
    expect(steps).to.equal(0);
    const seen: number[] = [];
    while (steps < 100) {
      await nextTurn();
      seen.push(steps);
    }
    expect(seen.length).to.be.above(3);
    await task.whenDone();
    task.start();
    await task.whenDone();
    expect(steps).to.equal(200);
  });

  it("makes no step after it was stopped, and lets go of who waits for it", async () => {
    let steps = 0;
    const task = new SlicedTask(function* () {
      for (;;) {
        spin();
        steps += 1;
        yield;
      }
    });
    task.start();
    const done = task.whenDone();
    await nextTurn();
    await nextTurn();
    task.stop();
    await done;
    const before = steps;
    await nextTurn();
    await nextTurn();
    expect(steps).to.equal(before);
  });
});
