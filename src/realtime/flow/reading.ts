import { FairBudget } from "../../lib/fair-budget.ts";
import { TurnBudget } from "../../lib/turn-budget.ts";

/** A connection of which more has come, or may come, than was handed on. */
export type Reader = {
  /** Unique among all connections. */
  readonly name: string;
  /** Whom what it holds is charged to: its API key, or its address group. */
  readonly owner: string;
  /** Hands on what there is room for, at most a turn's share. */
  advance(): void;
  /** It has not been read for a while. */
  keepAlive(): void;
  /** It holds most of a budget that is exceeded: it lets go of everything and ends. */
  shed(): void;
};

export type ReadingOptions = {
  readonly maxRequestsPerSecond: number;
  readonly maxReceivedBytesPerSecond: number;
  /** What may wait of the requests of all connections together. */
  readonly maxWaitingBytes: number;
};

/** Well below the 20 s in which Engine.IO expects a pong. */
const KEEP_ALIVE_MS = 5_000;

type Held = { readonly budget: FairBudget; readonly readers: Map<string, Reader> };

/**
 * What the connections of a node share when they are read: the time of each turn of the event loop, and how much may wait.
 *
 * Owns an interval while somebody is not read.
 */
export class Reading {
  readonly options: ReadingOptions;
  /** Shared with whoever else does what clients ask for. */
  readonly turn: TurnBudget;
  readonly #stopped = new Set<Reader>();
  /** By owner. */
  readonly #budget: FairBudget;
  readonly #held = new Map<string, Held>();
  #interval: NodeJS.Timeout | undefined;
  #shedding: NodeJS.Immediate | undefined;

  constructor(options: ReadingOptions, turn: TurnBudget = new TurnBudget()) {
    this.options = options;
    this.turn = turn;
    this.#budget = new FairBudget(options.maxWaitingBytes);
  }

  /** What waits of the requests of all connections. */
  get waitingBytes(): number {
    return this.#budget.total;
  }

  /** Connections that are not read at the moment. */
  get stoppedCount(): number {
    return this.#stopped.size;
  }

  /** It is not read from now on, until {@link started}. */
  stopped(reader: Reader): void {
    this.#stopped.add(reader);
    this.#interval ??= setInterval(() => {
      for (const one of this.#stopped) one.keepAlive();
    }, KEEP_ALIVE_MS).unref();
  }

  started(reader: Reader): void {
    this.#stopped.delete(reader);
    if (this.#stopped.size > 0) return;
    clearInterval(this.#interval);
    this.#interval = undefined;
  }

  /** So many more bytes of its requests wait. */
  hold(reader: Reader, bytes: number): void {
    const { owner, name } = reader;
    let held = this.#held.get(owner);
    if (held === undefined) {
      held = { budget: new FairBudget(Number.POSITIVE_INFINITY), readers: new Map() };
      this.#held.set(owner, held);
    }
    held.readers.set(name, reader);
    held.budget.charge(name, bytes);
    this.#budget.charge(owner, bytes);
    // What is done within the turn does not wait.
    if (this.#budget.isExceeded) this.#shedding ??= setImmediate(() => this.#shed());
  }

  letGo({ owner, name }: Reader, bytes: number): void {
    const held = this.#held.get(owner);
    if (held === undefined) return;
    const given = Math.min(bytes, held.budget.amountOf(name));
    held.budget.discharge(name, given);
    this.#budget.discharge(owner, given);
    if (held.budget.amountOf(name) === 0) held.readers.delete(name);
    if (held.readers.size === 0) this.#held.delete(owner);
  }

  /** It is over: nothing of it waits. */
  forget(reader: Reader): void {
    this.turn.forget(reader);
    this.started(reader);
    this.letGo(reader, Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.turn.close();
    clearImmediate(this.#shedding);
    clearInterval(this.#interval);
    this.#stopped.clear();
    this.#held.clear();
    this.#budget.clear();
  }

  /** Of whoever holds most, the connection that holds most ends, and so on until what is left fits. */
  #shed(): void {
    this.#shedding = undefined;
    while (this.#budget.isExceeded) {
      const held = this.#held.get(this.#budget.largest?.name ?? "");
      const reader = held?.readers.get(held.budget.largest?.name ?? "");
      if (reader === undefined) return;
      reader.shed();
      this.forget(reader);
    }
  }
}
