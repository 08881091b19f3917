import { closedError } from "./key-storage.ts";

/** The calls under way on something that can be closed: after `close`, new ones are refused. */
export class OpenCalls {
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  get closing(): boolean {
    return this.#closing !== undefined;
  }

  /** @throws StoreUnavailableError once closed */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closedError();
    const result = work();
    this.#running.add(result);
    try {
      return await result;
    } finally {
      this.#running.delete(result);
    }
  }

  /** Waits for the calls under way, then runs `finish`, once. */
  close(finish: () => Promise<void>): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(finish);
    return this.#closing;
  }
}
