import { setImmediate as nextTurn } from "node:timers/promises";

/** Well below what a request may wait for, and long enough that the turns between cost little. */
const SLICE_MS = 4;

/**
 * Long work of one caller in slices: `await slices.pause()` between its steps lets the others have their turn as soon as this
 * slice is over. Work of many owners that must share a turn fairly takes `Slices`.
 */
export class TurnSlices {
  readonly #sliceMs: number;
  #untilMs: number;

  constructor(sliceMs = SLICE_MS) {
    this.#sliceMs = sliceMs;
    this.#untilMs = performance.now() + sliceMs;
  }

  /** @returns what resolves in a later turn when the slice is over, else undefined. */
  pause(): Promise<void> | undefined {
    return performance.now() < this.#untilMs ? undefined : this.#turn();
  }

  async #turn(): Promise<void> {
    await nextTurn();
    this.#untilMs = performance.now() + this.#sliceMs;
  }
}
