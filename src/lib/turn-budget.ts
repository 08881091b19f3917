import { performance } from "node:perf_hooks";

/** Whose turn comes, and what it does then: a little at a time. */
export type Turn = {
  /** An API key, or an address group: owners take turns, not their connections. */
  readonly owner: string;
  advance(): void;
};

/** What the requests of all clients may take of one turn of the event loop. */
const TURN_MS = 6;

/** How many packets one connection hands on in its turn: as many as fit by what they have cost lately. */
const MAX_PACKETS = 64;

/** A pause of the whole process (a collection, a sleeping machine) is nobody's doing. */
const MAX_OWED_MS = 100;

/** How much the last measurement counts beside those before. */
const WEIGHT = 1 / 4;

/**
 * Bounds what the requests of all clients together take of one turn of the event loop, whatever they ask for: what a packet sets off is
 * measured until its promises are settled. When the time is spent, what comes in waits and is not read, and goes on after the network
 * has had its turn, in rounds of owners: a key with a thousand busy connections does not make another key's single one wait for all of them.
 *
 * What takes more than a turn's time in one piece (a page of a megabyte, say) is paid back: its owner waits as long again, in which the
 * others' requests and what they are sent find short turns.
 *
 * What the fan-out writes is not counted (see {@link exclude}): it is bounded by itself, and gets cheaper the more it joins.
 *
 * Owns the queue of those that wait, an immediate while there are any or time was spent, and a timer while all of them owe.
 */
export class TurnBudget {
  readonly #byOwner = new Map<string, Set<Turn>>();
  /** Until when an owner waits; `performance.now()`. Those whose time has come are forgotten with the next look. */
  readonly #owesUntilMs = new Map<string, number>();
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #owner = "";
  #spentMs = 0;
  #sinceMs = 0;
  #isMeasuring = false;
  #isRunning = false;
  #packets = 0;
  /** What a packet costs, lately. */
  #packetMs = 0;
  #packetsInTurn = MAX_PACKETS;
  #isClosed = false;

  /** Whether this owner may begin nothing more in this turn. */
  isSpentFor(owner: string): boolean {
    return this.#spentMs >= TURN_MS || (this.#owesUntilMs.size > 0 && this.#owes(owner));
  }

  /** What one connection may hand on before the others. */
  get packets(): number {
    return this.#packetsInTurn;
  }

  /** A packet of this owner was handed on: what it sets off counts. */
  begin(owner: string): void {
    this.#packets += 1;
    this.#owner = owner;
    if (this.#isMeasuring || this.#isClosed) return;
    this.#isMeasuring = true;
    this.#sinceMs = performance.now();
    // Behind all promises that are settled on the way: those come before the next tick's turn.
    queueMicrotask(this.#afterPromises);
  }

  /** So much of what is being measured is somebody else's work. */
  exclude(ms: number): void {
    if (this.#isMeasuring) this.#sinceMs += ms;
  }

  /** Its turn comes after those of the other owners, and after its owner's that wait. */
  queue(turn: Turn): void {
    const turns = this.#byOwner.get(turn.owner);
    if (turns === undefined) this.#byOwner.set(turn.owner, new Set([turn]));
    else turns.add(turn);
    this.#schedule();
  }

  forget(turn: Turn): void {
    const turns = this.#byOwner.get(turn.owner);
    if (turns?.delete(turn) === true && turns.size === 0) this.#byOwner.delete(turn.owner);
  }

  /** For work in many steps that one request sets off. @returns undefined while this turn has time, else resolves in one that has. */
  untilTurn(owner: string): Promise<void> | undefined {
    const measuredMs = this.#isMeasuring ? performance.now() - this.#sinceMs : 0;
    const hasTime = this.#spentMs + measuredMs < TURN_MS && !this.#owes(owner);
    if (hasTime || this.#isClosed) return undefined;
    return new Promise((resolve) => {
      this.queue({
        owner,
        advance: () => {
          this.begin(owner);
          resolve();
        },
      });
    });
  }

  /** Whoever waits goes on at once, and finds that everything has ended. */
  close(): void {
    this.#isClosed = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#owesUntilMs.clear();
    const waiting = [...this.#byOwner.values()].flatMap((turns) => [...turns]);
    this.#byOwner.clear();
    for (const turn of waiting) turn.advance();
  }

  readonly #afterPromises = (): void => process.nextTick(this.#measure);

  readonly #measure = (): void => {
    const tookMs = Math.max(0, performance.now() - this.#sinceMs);
    this.#isMeasuring = false;
    this.#spentMs += tookMs;
    if (tookMs > TURN_MS)
      this.#owesUntilMs.set(this.#owner, performance.now() + Math.min(tookMs, MAX_OWED_MS));
    this.#packetMs += (tookMs / Math.max(1, this.#packets) - this.#packetMs) * WEIGHT;
    this.#packets = 0;
    this.#packetsInTurn = Math.max(1, Math.min(MAX_PACKETS, Math.floor(TURN_MS / this.#packetMs)));
    if (this.#isRunning) this.#goOn();
    else this.#schedule();
  };

  #schedule(): void {
    if (this.#isClosed) return;
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#spentMs = 0;
      this.#goOn();
    });
  }

  /** One after the other, each measured before the next. */
  #goOn(): void {
    this.#isRunning = false;
    while (this.#spentMs < TURN_MS) {
      const turn = this.#next();
      if (turn === undefined) {
        if (this.#byOwner.size > 0) this.#waitForOwing();
        return;
      }
      turn.advance();
      if (!this.#isMeasuring) continue;
      this.#isRunning = true;
      return;
    }
    this.#schedule();
  }

  #next(): Turn | undefined {
    for (const [owner, turns] of this.#byOwner) {
      if (this.#owes(owner)) continue;
      this.#byOwner.delete(owner);
      for (const turn of turns) {
        turns.delete(turn);
        if (turns.size > 0) this.#byOwner.set(owner, turns);
        return turn;
      }
    }
    return undefined;
  }

  #owes(owner: string): boolean {
    const untilMs = this.#owesUntilMs.get(owner);
    if (untilMs === undefined) return false;
    if (performance.now() < untilMs) return true;
    this.#owesUntilMs.delete(owner);
    return false;
  }

  #waitForOwing(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#schedule();
    }, 1);
  }
}
