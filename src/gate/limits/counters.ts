/** What one call draws on: at most `limit` calls of a counter in each of its windows. */
export type Budget = {
  /** Names the counters of one limit of one key; evicted fairly among each other. */
  readonly table: string;
  /** Whose counter of them it is. */
  readonly partition: string;
  readonly limit: number;
  readonly windowSeconds: number;
};

/** What was used of a budget in its window, and how long that still lasts. */
export type BudgetUse = { readonly used: number; readonly resetMs: number };

export type Spending = {
  readonly isSpent: boolean;
  /** In the order of the budgets; after spending, this call is among them. */
  readonly uses: readonly BudgetUse[];
  /** The call was not let through after all: it is not counted, unless its window has ended. */
  giveBack(): Promise<void>;
};

/**
 * Counts calls. A window begins with its first call and has a fixed length. Memory first; on Redis one script per
 * method keeps the same promises between nodes.
 */
export interface Counters {
  /** Count one call in all of the budgets or, when any of them is used up, in none. No other call comes between. */
  spend(budgets: readonly Budget[]): Promise<Spending>;
  /** What `spend` would compare, without counting. */
  read(budgets: readonly Budget[]): Promise<readonly BudgetUse[]>;
  close(): Promise<void>;
}
