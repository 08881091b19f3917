import { expect } from "chai";
import { Admission, type AdmissionOptions, type Slot } from "../../../src/realtime/admission/admission.ts";
import { FailureThrottle } from "../../../src/realtime/admission/failure-throttle.ts";

describe("admission", () => {
  const made: Admission[] = [];
  const admission = (options: Partial<AdmissionOptions>): Admission => {
    const one = new Admission({
      maxPendingPerAddress: 1,
      maxWaiting: 10,
      maxWaitMs: 60_000,
      pressureMs: 60_000,
      ...options,
    });
    made.push(one);
    return one;
  };
  afterEach(() => {
    for (const one of made.splice(0)) one.close();
  });

  it("lets some of an address in and the others follow in their order", () => {
    const door = admission({ maxPendingPerAddress: 2, maxWaiting: 2 });
    const log: string[] = [];
    const slots = new Map<string, Slot>();
    const enter = (name: string, group = "10.0.0.1"): (() => void) | undefined =>
      door.enter(
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
  });

  it("turns away who has waited too long", async () => {
    const door = admission({ maxWaitMs: 10 });
    door.enter("g", () => {}, expect.fail);
    const outcome = await new Promise((resolve) => {
      door.enter(
        "g",
        () => resolve("in"),
        () => resolve("refused"),
      );
    });
    expect(outcome).to.equal("refused");
  });

  it("asks one that holds its place for long to give way when others wait", async () => {
    const door = admission({ pressureMs: 20 });
    const start = (slot: Slot): void => {
      slot.holder = { giveWay: () => slot.release() };
    };
    door.enter("g", start, expect.fail);
    await new Promise<void>((resolve) => {
      door.enter("g", () => resolve(), expect.fail);
    });
  });

  it("turns away all who wait when it closes", () => {
    const door = admission({});
    let refused = 0;
    door.enter("g", () => {}, expect.fail);
    for (let i = 0; i < 3; i += 1) {
      door.enter(
        "g",
        () => expect.fail("let in"),
        () => {
          refused += 1;
        },
      );
    }
    door.close();
    expect(refused).to.equal(3);
  });
});

describe("admission of those who are over as soon as they are let in", () => {
  it("passes through any number of them without a growing stack, and lets the next one in", () => {
    const door = new Admission({
      maxPendingPerAddress: 2,
      maxWaiting: 20_000,
      maxWaitMs: 60_000,
      pressureMs: 60_000,
    });
    const held: Slot[] = [];
    const hold = (slot: Slot): void => void held.push(slot);
    door.enter("g", hold, expect.fail);
    door.enter("g", hold, expect.fail);
    let over = 0;
    for (let i = 0; i < 10_000; i += 1) {
      door.enter(
        "g",
        (slot) => {
          over += 1;
          slot.release();
        },
        expect.fail,
      );
    }
    for (let i = 0; i < 3; i += 1) door.enter("g", hold, expect.fail);
    held[0]?.release();
    expect([over, held.length]).to.deep.equal([10_000, 3]);
    held[1]?.release();
    expect(held).to.have.length(4);
    held[2]?.release();
    expect(held).to.have.length(5);
    door.close();
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
