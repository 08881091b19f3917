import { RateLimiterMemory } from "rate-limiter-flexible";
import type { Budget, BudgetUse, Counters, Spending } from "./counters.ts";

/** Counters of all limits together: a caller with many addresses makes one for each. */
const MAX_COUNTERS = 100_000;

/** One window of one counter, from its first call on. */
type Window = { readonly id: string; readonly endsAtMs: number };

/** The windows of one limit by partition; the one that ends first is first. */
type Table = { readonly name: string; readonly windows: Map<string, Window> };

/** How many tables are compared when one has to give way and no large one is known. */
const SAMPLE = 32;

export type MemoryCountersOptions = { readonly maxCounters?: number };

/**
 * One node's counters. Owns a window per counter, from its first call until it ends or must make room: then the oldest
 * of the limit that holds most goes first, so that a crowd of strangers at one key renews no budget of another.
 */
export class MemoryCounters implements Counters {
  readonly #maxCounters: number;
  /** Counts and forgets; what is too much is decided here, because a call has several budgets. */
  readonly #limiter = new RateLimiterMemory({
    points: Number.MAX_SAFE_INTEGER,
    duration: 1,
    keyPrefix: "",
  });
  readonly #tables = new Map<string, Table>();
  #count = 0;
  #largest: Table | undefined;
  /** The calls before this one: looking and counting takes several turns, and nothing may come between. */
  #before: Promise<unknown> = Promise.resolve();

  constructor({ maxCounters = MAX_COUNTERS }: MemoryCountersOptions = {}) {
    this.#maxCounters = maxCounters;
  }

  get size(): number {
    return this.#count;
  }

  spend(budgets: readonly Budget[]): Promise<Spending> {
    return this.#alone(async () => {
      const uses = await this.#read(budgets);
      if (budgets.some(({ limit }, index) => (uses[index]?.used ?? 0) >= limit)) {
        return { isSpent: false, uses, giveBack: async () => {} };
      }
      const counted = await Promise.all(budgets.map((budget) => this.#add(budget)));
      return {
        isSpent: true,
        uses: counted.map(({ use }) => use),
        giveBack: () => this.#alone(() => this.#takeBack(budgets, counted)),
      };
    });
  }

  read(budgets: readonly Budget[]): Promise<readonly BudgetUse[]> {
    return this.#alone(() => this.#read(budgets));
  }

  async close(): Promise<void> {
    await this.#alone(async () => {
      for (const table of this.#tables.values()) {
        for (const { id } of table.windows.values()) await this.#limiter.delete(id);
      }
      this.#tables.clear();
      this.#largest = undefined;
      this.#count = 0;
    });
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#before.then(task);
    this.#before = run.catch(() => {});
    return run;
  }

  #read(budgets: readonly Budget[]): Promise<BudgetUse[]> {
    return Promise.all(
      budgets.map(async (budget) => {
        const found = await this.#limiter.get(idOf(budget));
        // A window that has ended may still wait for its timer.
        return found === null || found.msBeforeNext <= 0
          ? { used: 0, resetMs: budget.windowSeconds * 1000 }
          : { used: found.consumedPoints, resetMs: found.msBeforeNext };
      }),
    );
  }

  async #add(budget: Budget): Promise<{ use: BudgetUse; window: Window | undefined }> {
    const id = idOf(budget);
    const { consumedPoints, msBeforeNext, isFirstInDuration } = await this.#limiter.consume(id, 1, {
      customDuration: budget.windowSeconds,
    });
    if (isFirstInDuration) await this.#keep(budget, { id, endsAtMs: Date.now() + msBeforeNext });
    return { use: { used: consumedPoints, resetMs: msBeforeNext }, window: this.#windowOf(budget) };
  }

  async #takeBack(
    budgets: readonly Budget[],
    counted: readonly { readonly window: Window | undefined }[],
  ): Promise<void> {
    for (const [index, budget] of budgets.entries()) {
      const window = counted[index]?.window;
      if (window === undefined || this.#windowOf(budget) !== window) continue;
      // A reward after the window's end would be a call more in the next one.
      const found = await this.#limiter.get(window.id);
      if (found !== null && found.msBeforeNext > 0) await this.#limiter.reward(window.id, 1);
    }
  }

  #windowOf({ table, partition }: Budget): Window | undefined {
    return this.#tables.get(table)?.windows.get(partition);
  }

  async #keep({ table: name, partition }: Budget, window: Window): Promise<void> {
    const table = this.#tables.get(name) ?? { name, windows: new Map() };
    this.#tables.set(name, table);
    if (table.windows.delete(partition)) this.#count -= 1;
    table.windows.set(partition, window);
    this.#count += 1;
    const now = Date.now();
    for (const [oldest, { endsAtMs }] of table.windows) {
      if (endsAtMs > now) break;
      table.windows.delete(oldest);
      this.#count -= 1;
    }
    if (table.windows.size > (this.#largest?.windows.size ?? 0)) this.#largest = table;
    while (this.#count > this.#maxCounters) await this.#makeRoom();
  }

  async #makeRoom(): Promise<void> {
    const table = this.#largest ?? this.#largestOfSample();
    for (const [partition, { id }] of table?.windows ?? []) {
      table?.windows.delete(partition);
      this.#count -= 1;
      await this.#limiter.delete(id);
      break;
    }
    if (table?.windows.size !== 0) return;
    this.#tables.delete(table.name);
    this.#largest = undefined;
  }

  #largestOfSample(): Table | undefined {
    let seen = 0;
    for (const table of this.#tables.values()) {
      if (table.windows.size > (this.#largest?.windows.size ?? 0)) this.#largest = table;
      seen += 1;
      if (seen === SAMPLE) break;
    }
    return this.#largest;
  }
}

function idOf({ table, partition }: Budget): string {
  return `${table}\0${partition}`;
}
