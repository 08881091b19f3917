import type { PresenceChange } from "../broker/broker.ts";

/** What telling of presence may cost in one turn of the event loop, in writes to one connection: a few milliseconds. */
const COST_PER_TURN = 600;

/** How long it may take to encode what is told in one turn. */
const SLICE_MS = 2;

export type PresenceQueueOptions = {
  /** Tells a channel's watchers of a change that has just come. @returns what it costs, in writes to one connection. */
  readonly tellNow: (channel: string, change: PresenceChange) => number;
  /** Tells them of one that has waited. */
  readonly tellLater: (channel: string, change: PresenceChange) => number;
  /** What it costs to write to all watchers of a channel once. */
  readonly costOf: (channel: string) => number;
  readonly costPerTurn?: number | undefined;
};

/** What the watchers are still to hear of a member: that it left, that it came or changed, or both in this order. */
type Pending = {
  leave: PresenceChange | undefined;
  state: PresenceChange | undefined;
  /** When its join was queued. */
  sequence: number;
};

/** A channel's changes in their order, one entry for each member. */
type Waiting = {
  readonly channel: string;
  readonly pending: Map<string, Pending>;
  /** In whose rounds it is. */
  owners: readonly string[];
  /** The sequence at which its members were listed last: from then on somebody may know those who had joined. */
  listedAt: number;
};

/**
 * Presence changes that are still to be told. While they are few, each is told at once. Beyond a bounded cost in each turn of
 * the event loop they wait, so that messages go first, and are told in slices: owners (API keys, address groups) in rounds, one
 * channel of each at a time, so that who changes most does not make the others wait.
 *
 * While a change waits, later ones of the same member join it: the last update counts, an update goes into the join before it, and a
 * join that nobody can know of is dropped with its leave. So what waits is bounded by the memberships: at most two changes for each
 * member of a channel. Owns what waits until it is told or forgotten, and the immediate that tells it.
 */
export class PresenceQueue {
  readonly #options: PresenceQueueOptions;
  readonly #costPerTurn: number;
  readonly #waiting = new Map<string, Waiting>();
  /** Whose changes are told next: the first owner's first channel, then the next owner's. */
  readonly #rounds = new Map<string, Set<Waiting>>();
  /** Channels of which only leaves wait, while leaves are held, with the owner of the first of each. */
  readonly #held = new Map<Waiting, string>();
  #isHeld = false;
  #isTelling = false;
  #turn: NodeJS.Immediate | undefined;
  /** What this turn has cost so far. */
  #spent = 0;
  #sequence = 0;

  constructor(options: PresenceQueueOptions) {
    this.#options = options;
    this.#costPerTurn = options.costPerTurn ?? COST_PER_TURN;
  }

  /** How many channels wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whether a change of this channel can be told now without overtaking another one. */
  isFree(channel: string, type: PresenceChange["type"]): boolean {
    if (this.#rounds.size > 0 || this.#spent >= this.#costPerTurn) return false;
    return (type !== "leave" || !this.#isHeld) && !this.#waiting.has(channel);
  }

  /** Tell a change now; see {@link isFree}. */
  tellNow(channel: string, change: PresenceChange): void {
    this.#spend(this.#options.costOf(channel) + this.#options.tellNow(channel, change));
  }

  /** Tell it when its turn comes. */
  add(channel: string, change: PresenceChange): void {
    let waiting = this.#waiting.get(channel);
    if (waiting === undefined) {
      waiting = { channel, pending: new Map(), owners: [], listedAt: 0 };
      this.#waiting.set(channel, waiting);
    }
    if (change.type === "leave") this.#addLeave(waiting, change);
    else this.#addState(waiting, change);
    if (waiting.pending.size === 0) this.#drop(waiting);
    else this.#enqueue(waiting, change);
  }

  /** Somebody has been told who is in the channel: a join from before must not be dropped with its leave any more. */
  noteListed(channel: string): void {
    const waiting = this.#waiting.get(channel);
    if (waiting !== undefined) waiting.listedAt = this.#sequence;
  }

  /** Tell what is said of a member, and what comes before it in the channel, now: a message of that member comes next. */
  tellUpTo(channel: string, memberId: string): void {
    const waiting = this.#waiting.get(channel);
    if (waiting?.pending.has(memberId) === true) this.#tellOf(waiting, memberId);
  }

  /** Tell a channel's changes now, although they are held: something else takes their place. */
  tellAll(channel: string): void {
    const waiting = this.#waiting.get(channel);
    if (waiting !== undefined) this.#tellOf(waiting, undefined);
  }

  /** Tell no leaves until the next `release`, but of channels where somebody comes or changes. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const [waiting, owner] of this.#held) this.#enter(waiting, owner);
    this.#held.clear();
    this.#tellSlice();
  }

  forget(channel: string): void {
    const waiting = this.#waiting.get(channel);
    if (waiting !== undefined) this.#drop(waiting);
  }

  close(): void {
    clearImmediate(this.#turn);
    this.#waiting.clear();
    this.#rounds.clear();
    this.#held.clear();
  }

  #addLeave(waiting: Waiting, change: PresenceChange): void {
    const { id } = change.member;
    const known = waiting.pending.get(id);
    // To the end: it must not be told before the joins that came before it.
    waiting.pending.delete(id);
    const isUnknown =
      known?.state?.type === "join" && known.leave === undefined && known.sequence > waiting.listedAt;
    if (!isUnknown) waiting.pending.set(id, { leave: change, state: undefined, sequence: 0 });
  }

  #addState(waiting: Waiting, change: PresenceChange): void {
    const { id } = change.member;
    const known = waiting.pending.get(id);
    this.#sequence += 1;
    if (known === undefined) {
      waiting.pending.set(id, { leave: undefined, state: change, sequence: this.#sequence });
    } else if (change.type === "update" && known.state?.type === "join") {
      known.state = { ...change, type: "join" };
    } else {
      known.state = change;
      known.sequence = this.#sequence;
    }
  }

  #enqueue(waiting: Waiting, { type, owner = "" }: PresenceChange): void {
    if (this.#isHeld && type === "leave" && waiting.owners.length === 0) {
      if (!this.#held.has(waiting)) this.#held.set(waiting, owner);
      return;
    }
    this.#held.delete(waiting);
    this.#enter(waiting, owner);
    this.#tellSlice();
  }

  #enter(waiting: Waiting, owner: string): void {
    if (waiting.owners.includes(owner)) return;
    waiting.owners = [...waiting.owners, owner];
    const round = this.#rounds.get(owner);
    if (round === undefined) this.#rounds.set(owner, new Set([waiting]));
    else round.add(waiting);
  }

  #drop(waiting: Waiting): void {
    waiting.pending.clear();
    if (this.#waiting.get(waiting.channel) === waiting) this.#waiting.delete(waiting.channel);
    this.#held.delete(waiting);
    for (const owner of waiting.owners) {
      const round = this.#rounds.get(owner);
      round?.delete(waiting);
      if (round?.size === 0) this.#rounds.delete(owner);
    }
    waiting.owners = [];
  }

  /** Tell what this turn may cost, one channel of each owner in rounds. */
  #tellSlice(): void {
    // Something that was told led here again: the rest follows when that is over.
    if (this.#isTelling) return;
    const untilMs = performance.now() + SLICE_MS;
    while (this.#spent < this.#costPerTurn) {
      const [next] = this.#rounds;
      if (next === undefined) return;
      const [owner, round] = next;
      const [waiting] = round;
      // The owner's next turn comes after the others', and the channel's after its other channels.
      this.#rounds.delete(owner);
      this.#rounds.set(owner, round);
      if (waiting === undefined) return;
      round.delete(waiting);
      round.add(waiting);
      this.#tellOf(waiting, undefined, this.#costPerTurn);
      if (performance.now() >= untilMs) this.#spend(this.#costPerTurn);
    }
  }

  /** Tell a channel's changes up to those of a member, or all, while this turn may still cost something: one at least. */
  #tellOf(waiting: Waiting, lastId: string | undefined, upToCost = Number.POSITIVE_INFINITY): void {
    const { channel, pending } = waiting;
    const wasTelling = this.#isTelling;
    this.#isTelling = true;
    this.#spend(this.#options.costOf(channel));
    for (const [id, { leave, state }] of pending) {
      pending.delete(id);
      if (leave !== undefined) this.#spend(this.#options.tellLater(channel, leave));
      if (state !== undefined) this.#spend(this.#options.tellLater(channel, state));
      if (id === lastId || this.#spent >= upToCost) break;
    }
    this.#isTelling = wasTelling;
    if (pending.size === 0) this.#drop(waiting);
  }

  #spend(cost: number): void {
    this.#spent += cost;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#spent = 0;
      this.#tellSlice();
    });
  }
}
