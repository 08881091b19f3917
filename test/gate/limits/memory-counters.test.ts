import { mock } from "node:test";
import { expect } from "chai";
import fc from "fast-check";
import { type Budget, MemoryCounters, type Spending } from "../../../src/gate/limits/index.ts";

const budget = (limit: number, more: Partial<Budget> = {}): Budget => ({
  table: "burst",
  partition: "a",
  limit,
  windowSeconds: 1,
  ...more,
});

describe("counters in memory", () => {
  const open: MemoryCounters[] = [];
  const counters = (maxCounters?: number): MemoryCounters => {
    const now = () => Date.now();
    const made = new MemoryCounters(maxCounters === undefined ? { now } : { maxCounters, now });
    open.push(made);
    return made;
  };
  beforeEach(() => mock.timers.enable({ apis: ["Date", "setTimeout"], now: 1_000_000 }));
  afterEach(async () => {
    for (const made of open.splice(0)) await made.close();
    mock.timers.reset();
  });

  it("count up to the limit in a window that begins with its first call", async () => {
    const made = counters();
    const spend = () => made.spend([budget(2)]);
    mock.timers.tick(700);
    expect(await spend()).to.deep.include({ isSpent: true, uses: [{ used: 1, resetMs: 1000 }] });
    mock.timers.tick(600);
    expect(await spend()).to.deep.include({ isSpent: true, uses: [{ used: 2, resetMs: 400 }] });
    expect(await spend()).to.deep.include({ isSpent: false, uses: [{ used: 2, resetMs: 400 }] });
    mock.timers.tick(399);
    expect((await spend()).isSpent).to.equal(false);
    mock.timers.tick(1);
    expect(await spend()).to.deep.include({ isSpent: true, uses: [{ used: 1, resetMs: 1000 }] });
  });

  it("count in no budget when one of them is used up, also among calls at the same time", async () => {
    const made = counters();
    const shared = budget(5, { table: "shared" });
    const calls = ["a", "a", "a", "a", "a", "a", "b"].map((partition) =>
      made.spend([shared, budget(1, { partition })]),
    );
    const outcomes = (await Promise.all(calls)).map(({ isSpent }) => isSpent);
    expect(outcomes).to.deep.equal([true, false, false, false, false, false, true]);
    expect(await made.read([shared])).to.deep.equal([{ used: 2, resetMs: 1000 }]);
  });

  it("last no longer and no shorter when the wall clock is set", async () => {
    const made = new MemoryCounters();
    open.push(made);
    const spend = () => made.spend([budget(1, { windowSeconds: 5 })]);
    await spend();
    for (const now of [1, 1_000_000 + 3_600_000]) {
      mock.timers.setTime(now);
      const { isSpent, uses } = await spend();
      expect(isSpent).to.equal(false);
      expect(uses[0]?.resetMs).to.be.within(0, 5_000);
    }
  });

  it("read without counting", async () => {
    const made = counters();
    expect(await made.read([budget(1)])).to.deep.equal([{ used: 0, resetMs: 1000 }]);
    expect(made.size).to.equal(0);
    expect((await made.spend([budget(1)])).isSpent).to.equal(true);
  });

  it("take a call back once its window is still the same, and not into the next", async () => {
    const made = counters();
    const { giveBack } = await made.spend([budget(1), budget(3, { table: "slow", windowSeconds: 10 })]);
    await giveBack();
    expect((await made.read([budget(1)]))[0]?.used).to.equal(0);
    const late = await made.spend([budget(1), budget(3, { table: "slow", windowSeconds: 10 })]);
    mock.timers.tick(1_000);
    await late.giveBack();
    expect((await made.spend([budget(1)])).isSpent).to.equal(true);
    expect((await made.spend([budget(1)])).isSpent).to.equal(false);
    expect((await made.read([budget(3, { table: "slow", windowSeconds: 10 })]))[0]?.used).to.equal(0);
  });

  it("hold no more than their number, and take room from the limit that holds most", async () => {
    const made = counters(100);
    const quiet = budget(1, { table: "quiet", windowSeconds: 3600 });
    expect((await made.spend([quiet])).isSpent).to.equal(true);
    for (let i = 0; i < 1_000; i += 1) {
      await made.spend([budget(1, { table: "crowd", partition: String(i), windowSeconds: 3600 })]);
      expect(made.size).to.be.at.most(100);
    }
    expect((await made.spend([quiet])).isSpent).to.equal(false);
    for (let i = 0; i < 1_000; i += 1) await made.spend([budget(1, { table: `key ${i}` })]);
    expect(made.size).to.equal(100);
    const latest = budget(1, { table: "crowd", partition: "999", windowSeconds: 3600 });
    mock.timers.tick(1_000);
    await made.spend([latest]);
    expect(made.size).to.be.at.most(100);
  });

  it("forget windows that have ended when newer ones of the limit come", async () => {
    const made = counters();
    for (let i = 0; i < 50; i += 1) await made.spend([budget(1, { partition: String(i) })]);
    expect(made.size).to.equal(50);
    mock.timers.tick(1_000);
    await made.spend([budget(1, { partition: "new" })]);
    expect(made.size).to.equal(1);
  });

  it("never let through more than a model of the limits, whatever comes in what order", async () => {
    const limits = [
      { table: "one", limit: 3, windowSeconds: 1 },
      { table: "two", limit: 5, windowSeconds: 3 },
      { table: "three", limit: 2, windowSeconds: 1 },
    ];
    const step = fc.oneof(
      fc.record({ waitMs: fc.integer({ min: 1, max: 1_500 }) }),
      fc.record({
        calls: fc.array(
          fc.record({
            which: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 3 }),
            partition: fc.constantFrom("a", "b"),
          }),
          { minLength: 1, maxLength: 8 },
        ),
      }),
      fc.record({ giveBack: fc.nat(9) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const made = new MemoryCounters({ now: () => Date.now() });
        const model = new Map<string, { used: number; endsAtMs: number }>();
        const windowOf = (id: string) => {
          const known = model.get(id);
          return known !== undefined && known.endsAtMs > Date.now() ? known : undefined;
        };
        const spent: { spending: Spending; windows: { used: number; endsAtMs: number }[] }[] = [];
        for (const one of steps) {
          if ("waitMs" in one) {
            mock.timers.tick(one.waitMs);
          } else if ("giveBack" in one) {
            const [back] = spent.splice(one.giveBack, 1);
            await back?.spending.giveBack();
            for (const window of back?.windows ?? []) if (window.endsAtMs > Date.now()) window.used -= 1;
          } else {
            const asked = one.calls.map(({ which, partition }) =>
              which.flatMap((index) => limits[index] ?? []).map((limit) => ({ ...limit, partition })),
            );
            const answers = await Promise.all(asked.map((budgets) => made.spend(budgets)));
            for (const [index, budgets] of asked.entries()) {
              const ids = budgets.map(({ table, partition }) => `${table} ${partition}`);
              const isAllowed = budgets.every(
                ({ limit }, at) => (windowOf(ids[at] ?? "")?.used ?? 0) < limit,
              );
              const answer = answers[index];
              expect(answer?.isSpent).to.equal(isAllowed);
              if (!isAllowed || answer === undefined) continue;
              const windows = budgets.map(({ windowSeconds }, at) => {
                const id = ids[at] ?? "";
                const window = windowOf(id) ?? { used: 0, endsAtMs: Date.now() + windowSeconds * 1000 };
                window.used += 1;
                model.set(id, window);
                return window;
              });
              expect(answer.uses.map(({ used }) => used)).to.deep.equal(windows.map(({ used }) => used));
              spent.push({ spending: answer, windows });
            }
          }
        }
        await made.close();
      }),
      { numRuns: 300 },
    );
  });
});
