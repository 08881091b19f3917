import { performance } from "node:perf_hooks";

/** A place among the connections of an address that have not said yet who they are. `release` may be called twice. */
export class Slot {
  readonly sinceMs = performance.now();
  /** Asked to give way when others wait and this place has been held for a while. */
  holder: { giveWay(): void } | undefined;
  #leave: ((slot: Slot) => void) | undefined;

  constructor(leave: (slot: Slot) => void) {
    this.#leave = leave;
  }

  release(): void {
    const leave = this.#leave;
    this.#leave = undefined;
    this.holder = undefined;
    leave?.(this);
  }
}

type Waiting = {
  readonly start: (slot: Slot) => void;
  readonly refused: () => void;
  readonly timer: NodeJS.Timeout;
};
type Group = {
  readonly pending: Set<Slot>;
  readonly waiting: Set<Waiting>;
  timer: NodeJS.Timeout | undefined;
  isPassing: boolean;
  readonly leave: (slot: Slot) => void;
};

export type AdmissionOptions = {
  /** Connections of one address group that are being authenticated at the same time. */
  readonly maxPendingPerAddress: number;
  /** Further ones, of all addresses, that wait as bare TCP connections; more are refused. */
  readonly maxWaiting: number;
  /** How long one waits before it is refused. */
  readonly maxWaitMs: number;
  /** How long a silent one keeps its place while others wait. */
  readonly pressureMs: number;
};

/**
 * Bounds what strangers can hold: a number of connections of an address are let in at a time, some more wait
 * their turn as bare sockets, the rest is turned away. Thousands of clients behind one address that all
 * reconnect at once get in one after the other; silent ones never hold more than their few places, and those
 * only briefly while others wait.
 *
 * Owns two sets and a timer per address group, kept while it has anything pending.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #groups = new Map<string, Group>();
  #waitingCount = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /**
   * Ask for a place. `start` is called with the slot, now or later, or `refused` once.
   * @returns a function that withdraws a request that waits; nothing where the answer has been given already.
   */
  enter(group: string, start: (slot: Slot) => void, refused: () => void): (() => void) | undefined {
    const state = this.#groups.get(group) ?? this.#newGroup(group);
    if (state.pending.size < this.#options.maxPendingPerAddress) {
      this.#groups.set(group, state);
      start(takeSlot(state));
      return undefined;
    }
    if (this.#waitingCount >= this.#options.maxWaiting) {
      refused();
      return undefined;
    }
    const waiting: Waiting = {
      start,
      refused,
      timer: setTimeout(() => {
        this.#withdraw(state, waiting);
        refused();
      }, this.#options.maxWaitMs),
    };
    waiting.timer.unref();
    state.waiting.add(waiting);
    this.#waitingCount += 1;
    this.#relieve(state);
    return () => this.#withdraw(state, waiting);
  }

  /** Turn away all who wait. */
  close(): void {
    for (const state of this.#groups.values()) {
      clearTimeout(state.timer);
      for (const waiting of [...state.waiting]) {
        this.#withdraw(state, waiting);
        waiting.refused();
      }
    }
    this.#groups.clear();
  }

  #newGroup(group: string): Group {
    const state: Group = {
      pending: new Set(),
      waiting: new Set(),
      timer: undefined,
      isPassing: false,
      leave: (slot) => {
        if (state.pending.delete(slot)) this.#pass(group, state);
      },
    };
    return state;
  }

  /**
   * Free places go to those that wait longest. One that is over as soon as it starts frees its place within this call:
   * thousands of those in a row are a loop, not a stack.
   */
  #pass(group: string, state: Group): void {
    if (state.isPassing) return;
    state.isPassing = true;
    try {
      for (const next of state.waiting) {
        if (state.pending.size >= this.#options.maxPendingPerAddress) break;
        this.#withdraw(state, next);
        next.start(takeSlot(state));
      }
    } finally {
      state.isPassing = false;
    }
    if (state.pending.size > 0) return;
    clearTimeout(state.timer);
    this.#groups.delete(group);
  }

  #withdraw(state: Group, waiting: Waiting): void {
    clearTimeout(waiting.timer);
    if (state.waiting.delete(waiting)) this.#waitingCount -= 1;
  }

  /** While others wait, ask those to give way that have held a place for long; then look again. */
  #relieve(state: Group): void {
    if (state.timer !== undefined || state.waiting.size === 0) return;
    const { pressureMs } = this.#options;
    state.timer = setTimeout(() => {
      state.timer = undefined;
      if (state.waiting.size === 0) return;
      const before = performance.now() - pressureMs;
      for (const pending of [...state.pending]) {
        if (pending.sinceMs > before) break;
        pending.holder?.giveWay();
      }
      this.#relieve(state);
    }, pressureMs / 4);
    state.timer.unref();
  }
}

function takeSlot(group: Group): Slot {
  const slot = new Slot(group.leave);
  group.pending.add(slot);
  return slot;
}
