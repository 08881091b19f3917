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

/** A flush that takes less is not worth waiting for more; the wait adds this to the latency at most. */
const MIN_LONG_FLUSH_MS = 4;
const MAX_WAIT_MS = 5;

/** `batchIndex` of a member that gets something else than one batch as it is. */
const SEVERAL = -1;

/**
 * What is to be sent at the end of this turn of the event loop. Each audience has one batch; members of several
 * audiences are sent all of theirs in the order of the calls. Owns the batches until they are sent, and the
 * immediate that sends them.
 */
export class Outbox {
  readonly #onFault: (error: unknown) => void;
  /** The last sequence that was given. */
  #sequence = 0;
  #turn = 0;
  #batches: Batch[] = [];
  #heldBytes = 0;
  /** Those that are being sent right now. */
  #leaving: readonly Batch[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** How long the next messages may wait for others, from what the last flush took; 0: until the end of the turn. */
  #waitMs = 0;

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  get sequence(): number {
    return this.#sequence;
  }

  add(audience: Audience, packets: readonly (string | Buffer)[], exceptId: string | undefined): void {
    this.#sequence += 1;
    const entry = createEntry(this.#sequence, packets, exceptId);
    let batch = audience.pending;
    if (batch === undefined) {
      batch = { audience, entries: [], firstSequence: entry.sequence, exceptIds: undefined };
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
  }

  /** Send one member what waits for it: something else is about to be sent to it, or what it hears changes. */
  flushMember(member: FanOutMember): void {
    if (this.#batches.length + this.#leaving.length === 0 || member.caughtUpTo >= this.#sequence) return;
    const entries: Entry[] = [];
    let sources = 0;
    const take = (batch: Batch | undefined): void => {
      if (batch === undefined) return;
      sources += 1;
      for (const entry of batch.entries) if (isFor(member, entry)) entries.push(entry);
    };
    for (const batch of this.#leaving) if (batch.audience.members.has(member)) take(batch);
    for (const audience of member.audiences) take(audience.pending);
    member.caughtUpTo = this.#sequence;
    if (sources > 1) entries.sort(bySequence);
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
    for (const { audience } of batches) audience.pending = undefined;
    this.#leaving = batches;
    const startedMs = performance.now();
    try {
      if (batches.length === 1) this.#sendOne(first, this.#sequence);
      else this.#sendAll(batches, this.#sequence);
    } finally {
      this.#leaving = [];
      this.#waitMs = waitAfter(performance.now() - startedMs, batches);
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
    const { entries, exceptIds, firstSequence } = batch;
    const shared = joined(entries);
    for (const member of batch.audience.members) {
      const { caughtUpTo } = member;
      if (caughtUpTo >= upTo) continue;
      if (caughtUpTo < firstSequence && exceptIds?.has(member.id) !== true) {
        member.caughtUpTo = upTo;
        this.#send(member, entries, shared);
        continue;
      }
      const own = entries.filter((entry) => isFor(member, entry));
      member.caughtUpTo = upTo;
      if (own.length > 0) this.#send(member, own);
    }
  }

  /** Those of one batch share its buffer; for the others their own list is merged by sequence. */
  #sendAll(batches: readonly Batch[], upTo: number): void {
    this.#turn += 1;
    for (const [index, batch] of batches.entries()) this.#mark(batch, index, upTo);
    const merging: FanOutMember[] = [];
    const lists: { readonly entry: Entry; readonly members: readonly FanOutMember[] }[] = [];
    for (const [index, batch] of batches.entries()) {
      const members = this.#sendShared(batch, index, upTo, merging);
      if (members.length > 0) for (const entry of batch.entries) lists.push({ entry, members });
    }
    lists.sort((a, b) => bySequence(a.entry, b.entry));
    for (const { entry, members } of lists) {
      for (const member of members) if (isFor(member, entry)) member.queue?.push(entry);
    }
    for (const member of merging) {
      const entries = member.queue ?? [];
      member.queue = undefined;
      // It may have been sent them meanwhile, or be gone.
      if (member.caughtUpTo >= upTo) continue;
      member.caughtUpTo = upTo;
      if (entries.length > 0) this.#send(member, entries);
    }
  }

  #mark(batch: Batch, index: number, upTo: number): void {
    for (const member of batch.audience.members) {
      if (member.caughtUpTo >= upTo) continue;
      const isWhole =
        member.turn !== this.#turn &&
        member.caughtUpTo < batch.firstSequence &&
        batch.exceptIds?.has(member.id) !== true;
      member.turn = this.#turn;
      member.batchIndex = isWhole ? index : SEVERAL;
    }
  }

  /** @returns the batch's members that are not sent it as it is; they are given a queue. */
  #sendShared(batch: Batch, index: number, upTo: number, merging: FanOutMember[]): readonly FanOutMember[] {
    const others: FanOutMember[] = [];
    let shared: Buffer | undefined;
    for (const member of batch.audience.members) {
      if (member.caughtUpTo >= upTo || member.turn !== this.#turn) continue;
      if (member.batchIndex === index) {
        shared ??= joined(batch.entries);
        member.caughtUpTo = upTo;
        this.#send(member, batch.entries, shared);
        continue;
      }
      others.push(member);
      if (member.queue === undefined) {
        member.queue = [];
        merging.push(member);
      }
    }
    return others;
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

function isFor(member: FanOutMember, entry: Entry): boolean {
  return entry.sequence > member.caughtUpTo && entry.exceptId !== member.id;
}

function bySequence(a: Entry, b: Entry): number {
  return a.sequence - b.sequence;
}
