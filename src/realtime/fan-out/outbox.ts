import {
  type Audience,
  type Batch,
  createEntry,
  type Entry,
  type FanOutMember,
  joined,
} from "./fan-out-member.ts";

/** What may be held back; more is sent within the turn, so that a stalled reader is noticed in time. */
const MAX_HELD_BYTES = 64 * 1024;

/** More entries than these are sorted. */
const MAX_MOVED = 32;

/** A flush that takes less is not worth waiting for more; the wait adds this to the latency at most. */
const MIN_LONG_FLUSH_MS = 4;
const MAX_WAIT_MS = 5;

/**
 * What is to be sent at the end of this turn of the event loop. Each audience has one batch; members of several
 * audiences are sent all of theirs in the order of the calls. Owns the batches until they are sent, and the
 * immediate that sends them.
 */
export class Outbox {
  readonly #onFault: (error: unknown) => void;
  readonly #onFlushed: (ms: number) => void;
  /** The last sequence that was given. */
  #sequence = 0;
  #batches: Batch[] = [];
  #heldBytes = 0;
  /** Those that are being sent right now. */
  #leaving: readonly Batch[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** How long the next messages may wait for others, from what the last flush took; 0: until the end of the turn. */
  #waitMs = 0;

  /** `onFlushed` is told how long each flush took. */
  constructor(onFault: (error: unknown) => void, onFlushed: (ms: number) => void = () => {}) {
    this.#onFault = onFault;
    this.#onFlushed = onFlushed;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** `owner`: who published it. @returns the bytes of the message in its frame. */
  add(
    audience: Audience,
    packets: readonly (string | Buffer)[],
    exceptId: string | undefined,
    owner: string,
  ): number {
    this.#sequence += 1;
    const entry = createEntry(this.#sequence, packets, exceptId, owner);
    let batch = audience.pending;
    if (batch === undefined) {
      batch = {
        audience,
        entries: [],
        firstSequence: entry.sequence,
        exceptIds: undefined,
        shared: undefined,
      };
      audience.pending = batch;
      this.#batches.push(batch);
    }
    batch.entries.push(entry);
    if (exceptId !== undefined) {
      batch.exceptIds ??= new Set();
      batch.exceptIds.add(exceptId);
    }
    this.#heldBytes += entry.frame.length;
    if (this.#heldBytes >= MAX_HELD_BYTES) this.flush();
    else this.#schedule();
    return entry.frame.length;
  }

  /** Send one member what waits for it: something else is about to be sent to it, or what it hears changes. */
  flushMember(member: FanOutMember): void {
    if (this.#batches.length + this.#leaving.length === 0 || member.caughtUpTo >= this.#sequence) return;
    const batches = this.#leavingFor(member);
    for (const { pending } of member.audiences) if (pending !== undefined) batches.push(pending);
    const entries = entriesFor(member, batches);
    member.caughtUpTo = this.#sequence;
    if (entries.length > 0) this.#send(member, entries);
  }

  /** Send everything. */
  flush(): void {
    // Something that was sent led here again: the rest follows when that is over.
    if (this.#leaving.length > 0) {
      this.#schedule();
      return;
    }
    this.#unschedule();
    const batches = this.#batches;
    const [first] = batches;
    if (first === undefined) return;
    this.#batches = [];
    this.#heldBytes = 0;
    for (const batch of batches) {
      batch.audience.pending = undefined;
      batch.audience.leaving = batch;
    }
    this.#leaving = batches;
    const startedMs = performance.now();
    try {
      if (batches.length === 1) this.#sendOne(first, this.#sequence);
      else this.#sendAll(this.#sequence);
    } finally {
      this.#leaving = [];
      for (const { audience } of batches) audience.leaving = undefined;
      const tookMs = performance.now() - startedMs;
      this.#waitMs = waitAfter(tookMs, batches);
      this.#onFlushed(tookMs);
    }
  }

  #schedule(): void {
    if (this.#immediate !== undefined || this.#timer !== undefined) return;
    if (this.#waitMs === 0) this.#immediate = setImmediate(() => this.flush());
    else this.#timer = setTimeout(() => this.flush(), this.#waitMs);
  }

  #unschedule(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
  }

  /** Most turns: one audience, one buffer. */
  #sendOne(batch: Batch, upTo: number): void {
    const { entries } = batch;
    const shared = joined(entries);
    for (const member of batch.audience.members) {
      if (member.caughtUpTo >= upTo) continue;
      if (isWhole(member, batch)) {
        member.caughtUpTo = upTo;
        this.#send(member, entries, shared);
        continue;
      }
      const own = entriesFor(member, [batch]);
      member.caughtUpTo = upTo;
      if (own.length > 0) this.#send(member, own);
    }
  }

  /** Each member once, with all that is for it. */
  #sendAll(upTo: number): void {
    for (const { audience } of this.#leaving) {
      for (const member of audience.members) if (member.caughtUpTo < upTo) this.#sendDue(member, upTo);
    }
  }

  /** Whoever is sent one batch as it is shares its buffer. */
  #sendDue(member: FanOutMember, upTo: number): void {
    const due = this.#leavingFor(member);
    const [only] = due;
    if (only !== undefined && due.length === 1 && isWhole(member, only)) {
      only.shared ??= joined(only.entries);
      member.caughtUpTo = upTo;
      this.#send(member, only.entries, only.shared);
      return;
    }
    const own = entriesFor(member, due);
    member.caughtUpTo = upTo;
    if (own.length > 0) this.#send(member, own);
  }

  /** The batches that leave and are for this member: whichever are fewer, they or its audiences, are asked about the others. */
  #leavingFor(member: FanOutMember): Batch[] {
    const found: Batch[] = [];
    if (member.audiences.length < this.#leaving.length) {
      for (const { leaving } of member.audiences) if (leaving !== undefined) found.push(leaving);
    } else {
      for (const batch of this.#leaving) if (batch.audience.members.has(member)) found.push(batch);
    }
    return found;
  }

  #send(member: FanOutMember, entries: readonly Entry[], shared?: Buffer): void {
    try {
      member.send(entries, shared);
    } catch (error) {
      // The others are to hear it all the same.
      this.#onFault(error);
    }
  }
}

/**
 * After a long flush that carried several messages, those who publish are still hearing of it when the next turn begins,
 * and a flush of the few that have arrived would be as long. So the next one waits for a quarter of the time
 * that the last one took. Measured with 2,000 members in 50 channels: 64 messages in a flush instead of 38.
 */
function waitAfter(flushMs: number, batches: readonly Batch[]): number {
  const isSingle = batches.length === 1 && batches[0]?.entries.length === 1;
  if (isSingle || flushMs < MIN_LONG_FLUSH_MS) return 0;
  return Math.min(MAX_WAIT_MS, Math.round(flushMs / 4));
}

/** What of these batches is for this member, in the order of the calls. */
function entriesFor(member: FanOutMember, batches: readonly Batch[]): Entry[] {
  const entries: Entry[] = [];
  for (const batch of batches) {
    for (const entry of batch.entries) if (isFor(member, entry)) entries.push(entry);
  }
  if (batches.length > 1) order(entries);
  return entries;
}

/** Few are moved to their places: to sort an array costs the engine more than that, for thousands of members in every flush. */
function order(entries: Entry[]): void {
  if (entries.length > MAX_MOVED) {
    entries.sort(bySequence);
    return;
  }
  for (let i = 1; i < entries.length; i += 1) {
    const entry = entries[i];
    if (entry === undefined) return;
    let at = i;
    for (; at > 0; at -= 1) {
      const before = entries[at - 1];
      if (before === undefined || before.sequence < entry.sequence) break;
      entries[at] = before;
    }
    entries[at] = entry;
  }
}

/** Every entry of the batch is for this member. */
function isWhole(member: FanOutMember, { firstSequence, exceptIds }: Batch): boolean {
  return member.caughtUpTo < firstSequence && exceptIds?.has(member.id) !== true;
}

function isFor(member: FanOutMember, entry: Entry): boolean {
  return entry.sequence > member.caughtUpTo && entry.exceptId !== member.id;
}

function bySequence(a: Entry, b: Entry): number {
  return a.sequence - b.sequence;
}
