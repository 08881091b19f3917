export type FailureThrottleOptions = {
  /** Failures of one address group that are answered at once. */
  readonly burst: number;
  readonly refillPerSecond: number;
  /** Beyond them, how long a refusal is held back. */
  readonly delayMs: number;
  readonly now?: () => number;
};

/** Address groups that are remembered; the one quiet for longest is forgotten first. */
const MAX_GROUPS = 10_000;

/**
 * Slows down whoever fails to authenticate again and again. It delays refusals and nothing else: a
 * delayed one holds no place that a client with a good key behind the same address would need.
 */
export class FailureThrottle {
  readonly #options: FailureThrottleOptions;
  readonly #now: () => number;
  readonly #groups = new Map<string, { tokens: number; atMs: number }>();

  constructor(options: FailureThrottleOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Count a failure. @returns milliseconds to hold its answer back. */
  fail(group: string): number {
    const { burst, refillPerSecond, delayMs } = this.#options;
    const nowMs = this.#now();
    const known = this.#groups.get(group);
    const tokens =
      known === undefined
        ? burst
        : Math.min(burst, known.tokens + ((nowMs - known.atMs) / 1000) * refillPerSecond);
    this.#groups.delete(group);
    this.#groups.set(group, { tokens: Math.max(0, tokens - 1), atMs: nowMs });
    if (this.#groups.size > MAX_GROUPS) {
      for (const oldest of this.#groups.keys()) {
        this.#groups.delete(oldest);
        break;
      }
    }
    return tokens >= 1 ? 0 : delayMs;
  }
}
