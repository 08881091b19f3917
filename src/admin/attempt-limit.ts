/** Addresses that are remembered; the one quiet for longest is forgotten first. */
const MAX_ADDRESSES = 10_000;

export type AttemptLimitOptions = {
  readonly burst: number;
  readonly perSecond: number;
  readonly now?: () => number;
};

/** Bounds failed sign-ins of an address: a burst, then some per second. */
export class AttemptLimit {
  readonly #options: AttemptLimitOptions;
  readonly #now: () => number;
  readonly #addresses = new Map<string, { tokens: number; atMs: number }>();

  constructor(options: AttemptLimitOptions) {
    this.#options = options;
    // A wall clock that is set back would lock addresses out for hours.
    this.#now = options.now ?? (() => performance.now());
  }

  /** Milliseconds until this address is looked at again; 0: now. */
  waitMs(address: string): number {
    const tokens = this.#tokens(address);
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / this.#options.perSecond) * 1_000);
  }

  failed(address: string): void {
    const tokens = this.#tokens(address);
    this.#addresses.delete(address);
    this.#addresses.set(address, { tokens: Math.max(0, tokens - 1), atMs: this.#now() });
    if (this.#addresses.size <= MAX_ADDRESSES) return;
    for (const oldest of this.#addresses.keys()) {
      this.#addresses.delete(oldest);
      return;
    }
  }

  #tokens(address: string): number {
    const { burst, perSecond } = this.#options;
    const known = this.#addresses.get(address);
    if (known === undefined) return burst;
    return Math.min(burst, known.tokens + ((this.#now() - known.atMs) / 1_000) * perSecond);
  }
}
