/** The longest delay that Node's timers take; a longer one fires at once (measured, and documented by Node). */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * One timer for one instant, however far away. Setting it again replaces the instant; `clear` ends it.
 * It does not keep the process alive.
 */
export class Alarm {
  readonly #ring: () => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ring: () => void, now: () => number = Date.now) {
    this.#ring = ring;
    this.#now = now;
  }

  /** `instantMs` in milliseconds since 1970; an instant in the past rings in the next turn. */
  set(instantMs: number): void {
    this.clear();
    const delayMs = instantMs - this.#now();
    this.#timer =
      delayMs > MAX_DELAY_MS
        ? setTimeout(() => this.set(instantMs), MAX_DELAY_MS)
        : setTimeout(() => this.#arrive(instantMs), Math.max(0, delayMs));
    this.#timer.unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Timers run on a clock of their own and may be a millisecond early by the wall clock. */
  #arrive(instantMs: number): void {
    this.#timer = undefined;
    if (this.#now() < instantMs) this.set(instantMs);
    else this.#ring();
  }
}
