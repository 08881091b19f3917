import type { Budget, BudgetUse, Counters, Spending } from "./counters.ts";

/** Counters of all limits together: a caller with many addresses makes one for each. */
const MAX_COUNTERS = 100_000;

/** One window of one counter, from its first call on. `endsAtMs` is by a clock that never jumps. */
type Window = { used: number; readonly endsAtMs: number };

/** The windows of one limit by partition; the one that ends first is first. */
type Table = { readonly name: string; readonly windows: Map<string, Window> };

/** How many tables are compared when one has to give way and no large one is known. */
const SAMPLE = 32;

export type MemoryCountersOptions = {
  readonly maxCounters?: number;
  /** Milliseconds that only ever go forward, in step with time: a wall clock that is set back would make windows last for hours. */
  readonly now?: () => number;
};

/**
 * One node's counters. Owns a window per counter, from its first call until it ends or must make room: then the oldest
 * of the limit that holds most goes first, so that a crowd of strangers at one key renews no budget of another.
 */
export class MemoryCounters implements Counters {
  readonly #maxCounters: number;
  readonly #now: () => number;
  readonly #tables = new Map<string, Table>();
  #count = 0;
  #largest: Table | undefined;

  constructor({ maxCounters = MAX_COUNTERS, now = () => performance.now() }: MemoryCountersOptions = {}) {
    this.#maxCounters = maxCounters;
    this.#now = now;
  }

  get size(): number {
    return this.#count;
  }

  /** Looks and counts in one turn, so that no other call comes between. */
  async spend(budgets: readonly Budget[]): Promise<Spending> {
    const nowMs = this.#now();
    const uses = budgets.map((budget) => this.#use(budget, nowMs));
    if (budgets.some(({ limit }, index) => (uses[index]?.used ?? 0) >= limit))
      return { isSpent: false, uses, giveBack: async () => {} };
    const windows = budgets.map((budget) => this.#add(budget, nowMs));
    return {
      isSpent: true,
      uses: windows.map(({ used, endsAtMs }) => ({ used, resetMs: Math.ceil(endsAtMs - nowMs) })),
      giveBack: async () => this.#takeBack(budgets, windows),
    };
  }

  async read(budgets: readonly Budget[]): Promise<readonly BudgetUse[]> {
    const nowMs = this.#now();
    return budgets.map((budget) => this.#use(budget, nowMs));
  }

  async close(): Promise<void> {
    this.#tables.clear();
    this.#largest = undefined;
    this.#count = 0;
  }

  #use(budget: Budget, nowMs: number): BudgetUse {
    const window = this.#openWindow(budget, nowMs);
    return window === undefined
      ? { used: 0, resetMs: budget.windowSeconds * 1_000 }
      : { used: window.used, resetMs: Math.ceil(window.endsAtMs - nowMs) };
  }

  #add(budget: Budget, nowMs: number): Window {
    const open = this.#openWindow(budget, nowMs);
    if (open !== undefined) {
      open.used += 1;
      return open;
    }
    const window = { used: 1, endsAtMs: nowMs + budget.windowSeconds * 1_000 };
    this.#keep(budget, window, nowMs);
    return window;
  }

  #takeBack(budgets: readonly Budget[], windows: readonly Window[]): void {
    const nowMs = this.#now();
    for (const [index, budget] of budgets.entries()) {
      const window = windows[index];
      // A call less after the window's end would be a call more in the next one.
      if (window !== undefined && this.#openWindow(budget, nowMs) === window) window.used -= 1;
    }
  }

  #openWindow({ table, partition }: Budget, nowMs: number): Window | undefined {
    const window = this.#tables.get(table)?.windows.get(partition);
    return window !== undefined && window.endsAtMs > nowMs ? window : undefined;
  }

  #keep({ table: name, partition }: Budget, window: Window, nowMs: number): void {
    const table = this.#tables.get(name) ?? { name, windows: new Map() };
    this.#tables.set(name, table);
    if (table.windows.delete(partition)) this.#count -= 1;
    table.windows.set(partition, window);
    this.#count += 1;
    for (const [oldest, { endsAtMs }] of table.windows) {
      if (endsAtMs > nowMs) break;
      table.windows.delete(oldest);
      this.#count -= 1;
    }
    if (table.windows.size > (this.#largest?.windows.size ?? 0)) this.#largest = table;
    while (this.#count > this.#maxCounters) this.#makeRoom();
  }

  #makeRoom(): void {
    const table = this.#largest ?? this.#largestOfSample();
    for (const partition of table?.windows.keys() ?? []) {
      table?.windows.delete(partition);
      this.#count -= 1;
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
