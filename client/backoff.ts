const BASE_MS = 1_000;
const MAX_MS = 30_000;

/**
 * Pauses between tries, with full jitter: each is random between 0 and a bound that doubles up to 30 s, so that thousands of
 * clients that lost the same server never come back together, however often they have failed.
 */
export class Backoff {
  #failures = 0;

  /** How many tries have failed since it was reset. */
  get failures(): number {
    return this.#failures;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** The pause before the next try. `afterMs`: the server's word; the pause is never shorter, and spread behind it. */
  nextMs(afterMs: number | undefined): number {
    const boundMs = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    return (afterMs ?? 0) + Math.random() * boundMs;
  }
}
