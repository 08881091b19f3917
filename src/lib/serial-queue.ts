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

  /** Runs a task when all of these names are free, and keeps them all until it ends. */
  runAll<T>(names: readonly string[], task: () => Promise<T>): Promise<T> {
    const result = Promise.all(names.map((name) => this.#tails.get(name))).then(task);
    const release = (): void => {
      for (const name of names) this.#release(name, tail);
    };
    const tail: Promise<void> = result.then(release, release);
    // In this turn, together with the look at the tails: so two tasks never wait for each other.
    for (const name of names) this.#tails.set(name, tail);
    return result;
  }

  #release(name: string, tail: Promise<unknown>): void {
    if (this.#tails.get(name) === tail) this.#tails.delete(name);
  }
}
