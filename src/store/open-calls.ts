import { closedError } from "./key-storage.ts";

/** The calls under way on something that can be closed: after `close`, new ones are refused. */
export class OpenCalls {
  #count = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  get closing(): boolean {
    return this.#closing !== undefined;
  }

  /** A call that ends with `end`, however it goes. @throws StoreUnavailableError once closed */
  begin(): void {
    if (this.#closing !== undefined) throw closedError();
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#onIdle?.();
  }

  /** @throws StoreUnavailableError once closed */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  /** Waits for the calls under way, then runs `finish`, once. */
  close(finish: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#idle().then(finish);
    return this.#closing;
  }

  #idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
