/** One named limit of a key, as far as a caller has used it. */
export type LimitState = {
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  /** Calls that are left in this window. */
  readonly remaining: number;
  /** Until the next window. */
  readonly resetMs: number;
};

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers: every limit that counts for the call, and what is left of it. Names
 * of limits need no escaping.
 */
export function rateLimitHeaders(states: readonly LimitState[]): Record<string, string> {
  if (states.length === 0) return {};
  const policies = states.map(({ name, limit, windowSeconds }) => `"${name}";q=${limit};w=${windowSeconds}`);
  const left = states.map(
    ({ name, remaining, resetMs }) => `"${name}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`,
  );
  return { "ratelimit-policy": policies.join(", "), ratelimit: left.join(", ") };
}
