import type { UsageReport } from "../keys/index.ts";

type Counts = { allowed: number; lastUsedMs: number; readonly denied: Map<string, number> };

/** Counts decisions by key until somebody takes them. Bounded by the keys that are used between two takings. */
export class UsageMeter {
  #counts = new Map<string, Counts>();

  allowed(keyId: string, nowMs: number): void {
    const counts = this.#of(keyId, nowMs);
    counts.allowed += 1;
  }

  denied(keyId: string, code: string, nowMs: number): void {
    const { denied } = this.#of(keyId, nowMs);
    denied.set(code, (denied.get(code) ?? 0) + 1);
  }

  /** What was counted since the last call. */
  take(): UsageReport[] {
    const counts = this.#counts;
    this.#counts = new Map();
    return [...counts].map(([id, { allowed, denied, lastUsedMs }]) => ({
      id,
      allowed,
      denied: Object.fromEntries(denied),
      lastUsedAt: new Date(lastUsedMs).toISOString(),
    }));
  }

  /** They could not be kept: count them with what comes next. */
  giveBack(reports: readonly UsageReport[]): void {
    for (const { id, allowed, denied, lastUsedAt } of reports) {
      const counts = this.#of(id, Math.max(Date.parse(lastUsedAt), this.#counts.get(id)?.lastUsedMs ?? 0));
      counts.allowed += allowed;
      for (const [code, count] of Object.entries(denied)) {
        counts.denied.set(code, (counts.denied.get(code) ?? 0) + count);
      }
    }
  }

  #of(keyId: string, nowMs: number): Counts {
    const known = this.#counts.get(keyId);
    if (known !== undefined) {
      known.lastUsedMs = nowMs;
      return known;
    }
    const counts: Counts = { allowed: 0, lastUsedMs: nowMs, denied: new Map() };
    this.#counts.set(keyId, counts);
    return counts;
  }
}
