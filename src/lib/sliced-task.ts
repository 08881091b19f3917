/** How long a slice may take. */
const SLICE_MS = 2;

/** How many steps are made between two looks at the clock. */
const STEPS_PER_LOOK = 16;

/**
 * Work that may take long, in slices with a turn of the event loop between them. Owns the `setImmediate` of the next slice, from
 * `start` until its steps are done or `stop`.
 */
export class SlicedTask {
  readonly #steps: () => Iterator<unknown>;
  #running: Iterator<unknown> | undefined;
  #next: NodeJS.Immediate | undefined;
  #waiting: (() => void)[] = [];

  /** @param steps begins the work; each of its steps is short. What they go through may change between two of them. */
  constructor(steps: () => Iterator<unknown>) {
    this.#steps = steps;
  }

  /** Begins in a turn of its own; nothing happens while it is under way. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#running = this.#steps();
    this.#next = setImmediate(() => this.#slice());
  }

  /** Resolves when it is not under way any more. */
  async whenDone(): Promise<void> {
    if (this.#running === undefined) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  stop(): void {
    clearImmediate(this.#next);
    this.#end();
  }

  #slice(): void {
    const running = this.#running;
    if (running === undefined) return;
    const untilMs = performance.now() + SLICE_MS;
    do {
      for (let step = 0; step < STEPS_PER_LOOK; step += 1) {
        if (running.next().done !== true) continue;
        this.#end();
        return;
      }
    } while (performance.now() < untilMs);
    this.#next = setImmediate(() => this.#slice());
  }

  #end(): void {
    this.#running = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
