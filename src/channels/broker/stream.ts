import { type FairQueue, Held } from "../../lib/fair-queue.ts";
import type { Position } from "../../protocol/index.ts";
import type { HistoryPage, Publication } from "./broker.ts";
import type { HistoryWindow } from "./channel-settings.ts";
import { roughSize, sizeOfText } from "./rough-size.ts";

/** What a page is about, in memory: it is one answer, encoded at once. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** How many messages one call drops at most: each that comes makes one too many, the others may go a little later. */
const MAX_DROPPED_AT_ONCE = 64;

/** A retained message without what was said: its places in lists, the publication, its sender and times. */
const RETAINED_BYTES = 400;

/** Owners that are remembered to have an interest in a stream, besides the one that is charged. */
const MAX_OTHERS = 16;

/** A message that is kept, charged to who published it. */
export class Retained extends Held<Retained> {
  readonly stream: Stream;
  readonly publication: Publication;
  readonly offset: number;
  readonly atMs: number;

  constructor(stream: Stream, publication: Publication, offset: number, atMs: number) {
    super();
    this.stream = stream;
    this.publication = publication;
    this.offset = offset;
    this.atMs = atMs;
  }
}

/**
 * A channel's life: its position, and the last of its messages. A message that its owner's budget has no room for any more
 * leaves a hole, and the older ones of other owners stay: a page ends before a hole, and says where it begins after one.
 *
 * Owns what it retains, in `history`, until each is dropped. While nobody listens to it, it is held by {@link IdleStreams}.
 */
export class Stream extends Held<Stream> {
  readonly channel: string;
  readonly epoch: string;
  readonly #window: HistoryWindow;
  readonly #history: FairQueue<Retained>;
  offset = 0;
  subscribed = false;
  idleSinceMs = 0;
  /** Who is charged for it while it is idle. */
  owner: string;
  /** Who else was told of its epoch: who of them is charged when the owner has to give way. */
  others: string[] | undefined;
  /** From `#head` on, oldest first: what is retained, and the offsets of what had to give way between. */
  #slots: (Retained | number)[] = [];
  #head = 0;
  #holes = 0;

  constructor(
    channel: string,
    epoch: string,
    window: HistoryWindow,
    owner: string,
    history: FairQueue<Retained>,
  ) {
    super();
    this.channel = channel;
    this.epoch = epoch;
    this.#window = window;
    this.owner = owner;
    this.#history = history;
  }

  get retainedCount(): number {
    return this.#slots.length - this.#head - this.#holes;
  }

  /** Somebody is told of its epoch. */
  touch(owner: string): void {
    if (owner === this.owner || this.others?.includes(owner) === true) return;
    this.others ??= [];
    if (this.others.length < MAX_OTHERS) this.others.push(owner);
  }

  /** Take the next message in, and let go of what the window no longer holds. */
  append(owner: string, publication: Publication, nowMs: number): Position {
    this.offset += 1;
    if (this.#window.size > 0 && this.#window.seconds > 0) {
      const retained = new Retained(this, publication, this.offset, nowMs);
      this.#slots.push(retained);
      this.#history.add(owner, retained, sizeOf(publication));
      this.trim(nowMs);
    }
    return { epoch: this.epoch, offset: this.offset };
  }

  /** What is retained after an offset, up to the next hole, at most `limit`, and fewer where they are large; at least one. */
  read(after: number, limit: number, nowMs: number): HistoryPage {
    this.trim(nowMs);
    const { epoch, offset } = this;
    const beforeMs = this.#beforeMs(nowMs);
    const messages: { offset: number; publication: Publication }[] = [];
    let firstOffset = offset + 1;
    let bytes = 0;
    for (let index = this.#indexFrom(after + 1); index < this.#slots.length; index += 1) {
      const slot = this.#slots[index];
      if (!(slot instanceof Retained) || slot.atMs <= beforeMs) {
        if (messages.length > 0) break;
        continue;
      }
      if (messages.length === 0) firstOffset = slot.offset;
      else if (messages.length >= limit || slot.offset !== firstOffset + messages.length) break;
      bytes += slot.amount;
      if (bytes > MAX_PAGE_BYTES && messages.length > 0) break;
      messages.push({ offset: slot.offset, publication: slot.publication });
    }
    return { epoch, offset, firstOffset, messages };
  }

  /** Drops what the window no longer holds. @returns whether more is to be dropped. */
  trim(nowMs: number): boolean {
    const beforeMs = this.#beforeMs(nowMs);
    const firstInWindow = this.offset - this.#window.size + 1;
    for (let dropped = 0; this.#head < this.#slots.length; dropped += 1) {
      const slot = this.#slots[this.#head];
      if (slot instanceof Retained && slot.atMs > beforeMs && slot.offset >= firstInWindow) return false;
      if (dropped === MAX_DROPPED_AT_ONCE) return true;
      this.#dropFirst();
    }
    return false;
  }

  /** Drops one that had to give way: what is older stays. */
  drop(retained: Retained): void {
    const index = this.#indexFrom(retained.offset);
    if (this.#slots[index] !== retained) return;
    if (index === this.#head) {
      this.#dropFirst();
      while (typeof this.#slots[this.#head] === "number") this.#dropFirst();
      return;
    }
    this.#history.remove(retained);
    this.#slots[index] = retained.offset;
    this.#holes += 1;
    if (this.#holes < MAX_DROPPED_AT_ONCE || this.#holes * 2 < this.#slots.length - this.#head) return;
    this.#slots = this.#slots.filter((slot, at) => at >= this.#head && slot instanceof Retained);
    this.#head = 0;
    this.#holes = 0;
  }

  /** Nobody is to find it again: drops some of what it retains. @returns whether there is more. */
  empty(): boolean {
    for (let dropped = 0; dropped < MAX_DROPPED_AT_ONCE; dropped += 1) {
      if (this.#head === this.#slots.length) return false;
      this.#dropFirst();
    }
    return this.#head < this.#slots.length;
  }

  #dropFirst(): void {
    const slot = this.#slots[this.#head];
    if (slot instanceof Retained) this.#history.remove(slot);
    else this.#holes -= 1;
    // What the message takes is free at once.
    this.#slots[this.#head] = 0;
    this.#head += 1;
    // The array moves rarely, so that dropping costs the same however much is retained.
    if (this.#head === this.#slots.length || (this.#head > 64 && this.#head * 2 > this.#slots.length)) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The index of the first slot from an offset on. */
  #indexFrom(offset: number): number {
    let low = this.#head;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const slot = this.#slots[middle] ?? 0;
      if ((typeof slot === "number" ? slot : slot.offset) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #beforeMs(nowMs: number): number {
    return nowMs - this.#window.seconds * 1_000;
  }
}

function sizeOf({ eventName, id, message }: Publication): number {
  return RETAINED_BYTES + sizeOfText(eventName) + sizeOfText(id) + roughSize(message);
}
