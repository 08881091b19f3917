/** A place among the connections of an address that have not said yet who they are. `release` may be called twice. */
export type Slot = { release(): void };

type Waiting = { readonly start: (slot: Slot) => void; readonly timer: NodeJS.Timeout };

export type AdmissionOptions = {
  /** Connections of one address group that are being authenticated at the same time. */
  readonly maxPendingPerAddress: number;
  /** Further ones of it that wait as bare TCP connections; more are refused. */
  readonly maxWaitingPerAddress: number;
  readonly maxWaiting: number;
  /** How long one waits before it is refused. */
  readonly maxWaitMs: number;
};

/**
 * Bounds what strangers can hold: a few connections of an address are let in at a time, some more wait
 * their turn as bare sockets, the rest is turned away. A thousand clients behind one address that all
 * reconnect at once get in one after the other; a thousand silent ones never hold more than their few places.
 *
 * Owns a counter and a queue per address group, kept while it has anything pending.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #groups = new Map<string, { pending: number; readonly waiting: Set<Waiting> }>();
  #waitingCount = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /**
   * Ask for a place. `start` is called with the slot, now or later, or `refused` once.
   * @returns a function that withdraws a request that still waits.
   */
  enter(group: string, start: (slot: Slot) => void, refused: () => void): () => void {
    const state = this.#groups.get(group) ?? { pending: 0, waiting: new Set<Waiting>() };
    if (state.pending < this.#options.maxPendingPerAddress) {
      this.#groups.set(group, state);
      state.pending += 1;
      start(this.#slot(group));
      return () => {};
    }
    const { maxWaiting, maxWaitingPerAddress, maxWaitMs } = this.#options;
    if (state.waiting.size >= maxWaitingPerAddress || this.#waitingCount >= maxWaiting) {
      refused();
      return () => {};
    }
    const waiting: Waiting = {
      start,
      timer: setTimeout(() => {
        withdraw();
        refused();
      }, maxWaitMs),
    };
    const withdraw = (): void => {
      clearTimeout(waiting.timer);
      if (state.waiting.delete(waiting)) this.#waitingCount -= 1;
    };
    waiting.timer.unref();
    state.waiting.add(waiting);
    this.#waitingCount += 1;
    return withdraw;
  }

  close(): void {
    for (const { waiting } of this.#groups.values()) {
      for (const { timer } of waiting) clearTimeout(timer);
      waiting.clear();
    }
    this.#groups.clear();
    this.#waitingCount = 0;
  }

  #slot(group: string): Slot {
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        this.#leave(group);
      },
    };
  }

  /** The place goes to the one that waits longest. */
  #leave(group: string): void {
    const state = this.#groups.get(group);
    if (state === undefined) return;
    for (const next of state.waiting) {
      clearTimeout(next.timer);
      state.waiting.delete(next);
      this.#waitingCount -= 1;
      next.start(this.#slot(group));
      return;
    }
    state.pending -= 1;
    if (state.pending === 0) this.#groups.delete(group);
  }
}
