import { type IntervalHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks";

const RESOLUTION_MS = 20;
const WINDOW_MS = 1_000;

/** A process that uses less of one processor than this is not busy itself: it is starved, or was suspended. */
const BUSY_SHARE = 0.4;

/**
 * By how much the event loop is late: the median over a window of a second. A late loop of a process that had no processor (a
 * starved machine, a suspended one) is not its own overload and reads as 0 for the guard.
 */
export class LoopDelay {
  readonly #histogram: IntervalHistogram;
  #sinceMs = performance.now();
  #cpu = process.cpuUsage();
  #sequence = 0;
  #pressureMs = 0;
  #p50Ms = 0;
  #p99Ms = 0;
  #maxMs = 0;

  constructor() {
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
  }

  /** Of the last whole window. */
  get p50Ms(): number {
    return this.#p50Ms;
  }

  get p99Ms(): number {
    return this.#p99Ms;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** The median, as far as this process is the cause. */
  get pressureMs(): number {
    return this.#pressureMs;
  }

  /** Counts the windows. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Ends the window if it is long enough. @returns whether there is a new reading */
  take(): boolean {
    const elapsedMs = performance.now() - this.#sinceMs;
    if (elapsedMs < WINDOW_MS) return false;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    this.#sinceMs = performance.now();
    const delayOf = (nanoseconds: number): number =>
      Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) : 0;
    if (this.#histogram.count > 0) {
      this.#p50Ms = delayOf(this.#histogram.percentile(50));
      this.#p99Ms = delayOf(this.#histogram.percentile(99));
      this.#maxMs = delayOf(this.#histogram.max);
    } else {
      // Not one turn began in the whole window.
      this.#p50Ms = this.#p99Ms = this.#maxMs = elapsedMs;
    }
    const isBusy = (user + system) / 1_000 >= elapsedMs * BUSY_SHARE;
    this.#pressureMs = isBusy ? this.#p50Ms : 0;
    this.#sequence += 1;
    this.#histogram.reset();
    return true;
  }

  close(): void {
    this.#histogram.disable();
  }
}
