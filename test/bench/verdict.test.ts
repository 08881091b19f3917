import { expect } from "chai";
import { type Check, judge, verdictOf } from "../../bench/verdict.ts";

const EFFORT = { pairs: 3, pairsAgain: 5, limitMs: 5_000 };

/** A check whose ratios are given; the other's figure is always 10. */
function checkOf(bound: Check["bound"], ratios: readonly number[]): Check {
  const left = [...ratios];
  return {
    name: "speed",
    bound,
    own: () => Promise.resolve((left.shift() ?? Number.NaN) * 10),
    other: () => Promise.resolve(10),
  };
}

async function judged(bound: Check["bound"], ratios: readonly number[]): Promise<boolean[]> {
  return (await judge(checkOf(bound, ratios), EFFORT)).map(({ isWithin }) => isWithin);
}

describe("the check of speed", () => {
  it("passes by the median of a few pairs, whatever one of them is", async () => {
    expect(await judged({ atLeast: 5 }, [6, 0.1, 5])).to.deep.equal([true]);
    expect(await judged({ atMost: 1.6 }, [1.6, 9, 1.2])).to.deep.equal([true]);
  });

  it("measures more pairs before it fails, and passes by those", async () => {
    expect(await judged({ atLeast: 5 }, [4, 4, 6, 5, 6, 4, 5, 7])).to.deep.equal([false, true]);
  });

  it("fails when both medians miss the bound", async () => {
    expect(await judged({ atLeast: 5 }, [4, 4, 6, 6, 6, 4, 4, 4])).to.deep.equal([false, false]);
    expect(await judged({ atMost: 1.6 }, [2, 2, 1, 1, 2, 1, 2, 2])).to.deep.equal([false, false]);
  });

  it("does not take for good what was not measured", async () => {
    for (const figures of [
      [10, 0],
      [0, 10],
      [10, Number.NaN],
      [-1, -1],
    ]) {
      const [own = 0, other = 0] = figures;
      const check = { ...checkOf({ atLeast: 5 }, []), own: async () => own, other: async () => other };
      const error: unknown = await judge(check, EFFORT).catch((reason: unknown) => reason);
      expect(String(error)).to.include("figures that cannot be");
    }
  });

  it("fails when a server never answers", async () => {
    const check = { ...checkOf({ atLeast: 5 }, []), own: () => new Promise<number>(() => {}) };
    const error: unknown = await judge(check, { ...EFFORT, limitMs: 1 }).catch((reason: unknown) => reason);
    expect(String(error)).to.include("speed: not within");
  });

  it("says what was seen in both attempts, and the bound", async () => {
    const missed = checkOf({ atLeast: 5 }, [4, 4, 6, 6, 6, 4, 4, 4]);
    expect(verdictOf(missed, await judge(missed, EFFORT))).to.equal(
      "WORSE THAN IT WAS: speed: 4.00 (4.00, 4.00, 6.00), then 4.00 (6.00, 6.00, 4.00, 4.00, 4.00) times Socket.IO's; at least 5",
    );
    const met = checkOf({ atMost: 1.6 }, [1, 2, 1.5]);
    expect(verdictOf(met, await judge(met, EFFORT))).to.equal(
      "ok: speed: 1.50 (1.00, 2.00, 1.50) times Socket.IO's; at most 1.6",
    );
  });
});
