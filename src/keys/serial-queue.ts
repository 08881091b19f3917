/** Runs tasks with the same name one after the other. An entry lives only while tasks of its name do. */
export class SerialQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  run<T>(name: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(name);
    const result = before === undefined ? task() : before.then(task);
    const tail: Promise<void> = result.then(
      () => this.#release(name, tail),
      () => this.#release(name, tail),
    );
    this.#tails.set(name, tail);
    return result;
  }

  #release(name: string, tail: Promise<unknown>): void {
    if (this.#tails.get(name) === tail) this.#tails.delete(name);
  }
}
