/** The longest delay that Node's timers take; a longer one fires at once (measured, and documented by Node). */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * One timer for one instant, however far away. Setting it again replaces the instant; `clear` ends it.
 * Timers run on a clock that does not jump with the wall clock, so whoever has alarms calls `check` now and then.
 * It does not keep the process alive.
 */
export class Alarm {
  readonly #ring: () => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  /** While the timer runs. */
  #instantMs = Number.POSITIVE_INFINITY;

  constructor(ring: () => void, now: () => number = Date.now) {
    this.#ring = ring;
    this.#now = now;
  }

  /** `instantMs` in milliseconds since 1970; an instant in the past rings in the next turn. */
  set(instantMs: number): void {
    this.clear();
    this.#instantMs = instantMs;
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
    this.#instantMs = Number.POSITIVE_INFINITY;
  }

  /** Ring now if the wall clock has reached the instant although the timer has not. */
  check(): void {
    if (this.#now() >= this.#instantMs) this.#arrive(this.#instantMs);
  }

  /** Timers run on a clock of their own and may be a millisecond early by the wall clock. */
  #arrive(instantMs: number): void {
    this.clear();
    if (this.#now() < instantMs) this.set(instantMs);
    else this.#ring();
  }
}
