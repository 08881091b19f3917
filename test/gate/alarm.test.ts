import { expect } from "chai";
import { Alarm } from "../../src/gate/alarm.ts";

describe("alarm", () => {
  const MAX_DELAY_MS = 2 ** 31 - 1;
  let nowMs: number;
  let pending: { run: () => void; delayMs: number } | undefined;
  const real = globalThis.setTimeout;

  beforeEach(() => {
    nowMs = 1_000;
    pending = undefined;
    const fake = (run: () => void, delayMs = 0): NodeJS.Timeout => {
      pending = { run, delayMs };
      return real(() => {}, 0);
    };
    Object.assign(globalThis, { setTimeout: fake });
  });
  afterEach(() => {
    Object.assign(globalThis, { setTimeout: real });
  });

  /** Let the pending timer's time pass, or a little less. */
  const pass = (earlyMs = 0): void => {
    const due = pending;
    if (due === undefined) throw new Error("no timer is set");
    expect(due.delayMs).to.be.at.most(MAX_DELAY_MS);
    nowMs += due.delayMs - earlyMs;
    due.run();
  };

  it("rings at an instant 90 days away, not before", () => {
    let rings = 0;
    const instantMs = nowMs + 90 * 86_400_000;
    new Alarm(
      () => {
        rings += 1;
      },
      () => nowMs,
    ).set(instantMs);
    let turns = 0;
    while (rings === 0) {
      expect(nowMs).to.be.below(instantMs);
      pass();
      turns += 1;
    }
    expect(nowMs).to.equal(instantMs);
    expect(turns).to.equal(4);
  });

  it("waits on when its timer is early by the wall clock", () => {
    let rings = 0;
    new Alarm(
      () => {
        rings += 1;
      },
      () => nowMs,
    ).set(nowMs + 100);
    pass(2);
    expect(rings).to.equal(0);
    pass();
    expect(rings).to.equal(1);
  });
});
