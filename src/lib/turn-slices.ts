import { setTimeout as rest } from "node:timers/promises";

/** Well below what a request may wait for, and long enough that the turns between cost little. */
const SLICE_MS = 4;
/** A step that could not be cut is followed by a longer rest, but for no longer than this. */
const MAX_REST_MS = 50;

/** When the next slice of any such work may begin, by `performance.now()`: all of it shares one event loop. */
let freeAtMs = 0;

/**
 * Long work of one caller in slices: `await slices.pause()` between its steps rests for as long as the slice took. One turn of the
 * event loop would not do: a request takes several, and of each turn only a share. All such work of the process together takes
 * at most half of the event loop, one slice after the other. Work of many owners that must share a turn fairly takes `Slices`.
 */
export class TurnSlices {
  readonly #sliceMs: number;
  #startedMs = performance.now();

  constructor(sliceMs = SLICE_MS) {
    this.#sliceMs = sliceMs;
  }

  /** @returns what resolves after the rest when the slice is over, else undefined. */
  pause(): Promise<void> | undefined {
    const tookMs = performance.now() - this.#startedMs;
    return tookMs < this.#sliceMs ? undefined : this.#rest(tookMs);
  }

  async #rest(tookMs: number): Promise<void> {
    const nowMs = performance.now();
    const nextMs = Math.max(nowMs + Math.min(tookMs, MAX_REST_MS), freeAtMs);
    // Its next slice, and the rest after it.
    freeAtMs = nextMs + 2 * this.#sliceMs;
    await rest(nextMs - nowMs);
    this.#startedMs = performance.now();
  }
}
