/**
 * Keeps the requests of one connection in their order without making independent ones wait: a membership change
 * runs alone, after the change before it; a publish starts at once unless a change is under way.
 */
export class Turns {
  readonly #onRoom: () => void;
  #change: Promise<unknown> | undefined;
  #open = 0;

  /** `onRoom`: one that was under way is over. */
  constructor(onRoom: () => void = noop) {
    this.#onRoom = onRoom;
  }

  /** Requests that have begun or wait. */
  get open(): number {
    return this.#open;
  }

  /** Whatever came now would wait. */
  get isChanging(): boolean {
    return this.#change !== undefined;
  }

  /** Run something that later requests have to wait for. */
  async change<T>(task: () => Promise<T>): Promise<T> {
    this.#open += 1;
    const run = this.#change === undefined ? task() : this.#change.then(task);
    const settled = run.then(noop, noop).then(() => {
      this.#open -= 1;
      if (this.#change === settled) this.#change = undefined;
      this.#onRoom();
    });
    this.#change = settled;
    return run;
  }

  /** Run something that waits for changes, but that nothing waits for. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    this.#open += 1;
    try {
      if (this.#change !== undefined) await this.#change;
      return await task();
    } finally {
      this.#open -= 1;
      this.#onRoom();
    }
  }
}

function noop(): void {}
