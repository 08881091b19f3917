/** Steps of a piece of work, each well below a millisecond; between two of them others may have their turn. */
export type Steps = Generator<void, void, void>;

type Job = {
  readonly steps: Steps;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Work that would hold the event loop for long, done in slices: what all of it takes of one turn is bounded, and owners (API keys,
 * address groups) take turns step by step, so that who asks for much does not make the others wait. An owner's own work is done one after the other.
 *
 * Owns the work that is under way, and the immediate that goes on with it.
 */
export class Slices {
  readonly #sliceMs: number;
  readonly #byOwner = new Map<string, Job[]>();
  #turn: NodeJS.Immediate | undefined;
  #spentMs = 0;

  /** `sliceMs`: what all work may take of a turn. */
  constructor(sliceMs: number) {
    this.#sliceMs = sliceMs;
  }

  /** How much of an owner's work has not ended. */
  openOf(owner: string): number {
    return this.#byOwner.get(owner)?.length ?? 0;
  }

  /**
   * Do a piece of work, at once as far as this turn has time for it. @returns undefined when it is done, else what resolves when
   * it is; throws or rejects with what a step throws.
   */
  run(owner: string, steps: Steps): Promise<void> | undefined {
    if (this.#byOwner.size === 0 && this.#goOn(steps, this.#sliceMs - this.#spentMs)) return undefined;
    return new Promise((resolve, reject) => {
      const job = { steps, resolve, reject };
      const jobs = this.#byOwner.get(owner);
      if (jobs === undefined) this.#byOwner.set(owner, [job]);
      else jobs.push(job);
      this.#schedule();
    });
  }

  /** End all work where it is. */
  close(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const open = [...this.#byOwner.values()].flat();
    this.#byOwner.clear();
    for (const { resolve } of open) resolve();
  }

  /** @returns whether the work is done. */
  #goOn(steps: Steps, forMs: number): boolean {
    if (forMs <= 0) return false;
    const startedMs = performance.now();
    this.#schedule();
    try {
      for (;;) {
        if (steps.next().done === true) return true;
        if (performance.now() - startedMs >= forMs) return false;
      }
    } finally {
      this.#spentMs += performance.now() - startedMs;
    }
  }

  #schedule(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#spentMs = 0;
      this.#slice();
      if (this.#byOwner.size > 0) this.#schedule();
    });
  }

  #slice(): void {
    while (this.#byOwner.size > 0 && this.#spentMs < this.#sliceMs) {
      const share = (this.#sliceMs - this.#spentMs) / this.#byOwner.size;
      for (const [owner, jobs] of [...this.#byOwner]) {
        if (this.#spentMs >= this.#sliceMs) return;
        // Its next turn comes after the others'.
        this.#byOwner.delete(owner);
        this.#byOwner.set(owner, jobs);
        this.#goOnWith(owner, jobs, share);
      }
    }
  }

  #goOnWith(owner: string, jobs: Job[], forMs: number): void {
    const [job] = jobs;
    if (job === undefined) return;
    try {
      if (!this.#goOn(job.steps, forMs)) return;
      job.resolve();
    } catch (error) {
      job.reject(error);
    }
    jobs.shift();
    if (jobs.length === 0) this.#byOwner.delete(owner);
  }
}
