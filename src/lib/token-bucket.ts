/** How much a bucket holds at most, and how fast it fills. Both in the unit of what is taken, such as calls or bytes. */
export type TokenRate = { readonly capacity: number; readonly perSecond: number };

/**
 * A token bucket (the leaky bucket of RFC 2697 without colours): `take` never refuses, it tells the debt, so that a caller may
 * refuse, wait or close as fits its place. Times are milliseconds of one monotonic clock (`performance.now()`): a clock
 * that is set must not fill or empty a bucket.
 */
export class TokenBucket {
  #tokens: number;
  #atMs: number;

  constructor({ capacity }: TokenRate, nowMs: number) {
    this.#tokens = capacity;
    this.#atMs = nowMs;
  }

  /** Takes `amount`. @returns the milliseconds until the bucket owes nothing; 0 while it has enough. */
  take(amount: number, rate: TokenRate, nowMs: number): number {
    this.#fill(rate, nowMs);
    this.#tokens -= amount;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / rate.perSecond) * 1_000;
  }

  /** Takes `amount` if the bucket has it. @returns whether it had. */
  tryTake(amount: number, rate: TokenRate, nowMs: number): boolean {
    this.#fill(rate, nowMs);
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }

  /** Puts back what was taken for something that did not happen. */
  giveBack(amount: number, { capacity }: TokenRate): void {
    this.#tokens = Math.min(capacity, this.#tokens + amount);
  }

  /** Whether it is full again, so that forgetting it changes nothing. */
  isFull(rate: TokenRate, nowMs: number): boolean {
    this.#fill(rate, nowMs);
    return this.#tokens >= rate.capacity;
  }

  #fill({ capacity, perSecond }: TokenRate, nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs <= 0) return;
    this.#atMs = nowMs;
    this.#tokens = Math.min(capacity, this.#tokens + (elapsedMs / 1_000) * perSecond);
  }
}
