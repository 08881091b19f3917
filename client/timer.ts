const MAX_TIMER_MS = 2 ** 31 - 1;

/** Ends a wait that has not ended by itself; calling it again does nothing. */
export type Cancel = () => void;

/**
 * Calls `task` once after `delayMs`, however far away: a timer of the platform takes longer delays for 1 ms. After `Infinity`, and after
 * what is no number, it is never called.
 */
export function callAfter(delayMs: number, task: () => void): Cancel {
  if (!Number.isFinite(delayMs)) return () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  let restMs = Math.max(0, delayMs);
  const wait = (): void => {
    const nowMs = Math.min(restMs, MAX_TIMER_MS);
    restMs -= nowMs;
    timer = setTimeout(restMs > 0 ? wait : task, nowMs);
  };
  wait();
  return () => clearTimeout(timer);
}

/**
 * How much time has passed since it was made, sleep included: `performance.now` stands still in sleep on several systems, and
 * `Date.now` may be set back. The larger of the two never says too little.
 */
export class Stopwatch {
  readonly #monotonicMs = performance.now();
  readonly #clockMs = Date.now();

  get elapsedMs(): number {
    return Math.max(performance.now() - this.#monotonicMs, Date.now() - this.#clockMs);
  }
}
