export type { Budget, BudgetUse, Counters, Spending } from "./counters.ts";
export { MemoryCounters } from "./memory-counters.ts";
export { type Caller, type Charge, RateLimits, redeem } from "./rate-limits.ts";
