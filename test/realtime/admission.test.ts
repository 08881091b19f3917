import { expect } from "chai";
import { Admission, type Slot } from "../../src/realtime/admission.ts";
import { FailureThrottle } from "../../src/realtime/failure-throttle.ts";

describe("admission", () => {
  it("lets a few of an address in and the others follow in their order", () => {
    const admission = new Admission({
      maxPendingPerAddress: 2,
      maxWaitingPerAddress: 2,
      maxWaiting: 10,
      maxWaitMs: 60_000,
    });
    const log: string[] = [];
    const slots = new Map<string, Slot>();
    const enter = (name: string, group = "10.0.0.1"): (() => void) =>
      admission.enter(
        group,
        (slot) => {
          log.push(name);
          slots.set(name, slot);
        },
        () => log.push(`${name} refused`),
      );
    const withdrawals = ["a", "b", "c", "d", "e"].map((name) => enter(name));
    enter("other", "10.0.0.2");
    expect(log).to.deep.equal(["a", "b", "e refused", "other"]);
    slots.get("a")?.release();
    slots.get("a")?.release();
    expect(log.at(-1)).to.equal("c");
    withdrawals[3]?.();
    slots.get("b")?.release();
    slots.get("c")?.release();
    expect(log).to.deep.equal(["a", "b", "e refused", "other", "c"]);
    enter("f");
    expect(log.at(-1)).to.equal("f");
    admission.close();
  });

  it("turns away who has waited too long", async () => {
    const admission = new Admission({
      maxPendingPerAddress: 1,
      maxWaitingPerAddress: 5,
      maxWaiting: 5,
      maxWaitMs: 10,
    });
    admission.enter("g", () => {}, expect.fail);
    const outcome = await new Promise((resolve) => {
      admission.enter(
        "g",
        () => resolve("in"),
        () => resolve("refused"),
      );
    });
    expect(outcome).to.equal("refused");
    admission.close();
  });
});

describe("failure throttle", () => {
  it("delays failures beyond the burst, and forgives with time", () => {
    let nowMs = 0;
    const throttle = new FailureThrottle({ burst: 3, refillPerSecond: 1, delayMs: 250, now: () => nowMs });
    const delays = (): number[] => Array.from({ length: 5 }, () => throttle.fail("g"));
    expect(delays()).to.deep.equal([0, 0, 0, 250, 250]);
    expect(throttle.fail("other")).to.equal(0);
    nowMs += 2_000;
    expect(delays()).to.deep.equal([0, 0, 250, 250, 250]);
  });
});
