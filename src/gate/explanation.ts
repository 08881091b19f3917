import {
  type AccessRequest,
  type Check,
  decide,
  explain,
  limitKindOf,
  type Policy,
} from "../policy/index.ts";
import type { Explanation } from "./gate-types.ts";
import type { RateLimits } from "./limits/index.ts";

export type ExplainedKey = {
  /** Null: settings that no key has yet. */
  readonly keyId: string | null;
  readonly policy: Policy;
};

const UNCOUNTED: Check = { check: "limit", passed: true, message: "no limit of the key counts this" };

/**
 * The decision about a request that nobody has sent, and every check that leads to it. Limits are read, not used; what
 * counts by connection or client is shown as over HTTP, by address.
 */
export async function explainRequest(
  { keyId, policy }: ExplainedKey,
  request: AccessRequest,
  limits: RateLimits,
  now: number,
): Promise<Explanation> {
  const decision = decide(policy, request, now);
  const checks = explain(policy, request, now);
  const kind = limitKindOf(request.action);
  const counted = kind === undefined ? [] : policy.limitsByKind[kind];
  // What limits have always counted is always said; of the other kinds, where there is one.
  if (kind === undefined || (kind !== "calls" && counted.length === 0)) return { decision, checks };
  if (counted.length === 0 && policy.limits.length > 0) return { decision, checks: [...checks, UNCOUNTED] };
  const counts = await limits.explain(keyId, counted, { ip: request.ip });
  return {
    decision: decision.allowed ? counts.verdict : decision,
    checks: [...checks, ...counts.checks],
  };
}
