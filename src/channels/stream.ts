import type { Position } from "../protocol/index.ts";
import type { Publication } from "./broker.ts";
import type { HistoryWindow } from "./channel-settings.ts";
import { roughSize } from "./rough-size.ts";

type Retained = { readonly publication: Publication; readonly bytes: number; readonly atMs: number };

/** What a page is about, in memory: it is one answer, encoded at once. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** A channel's life: its position, and the last of its messages. Offsets of what is retained are without a hole. */
export class Stream {
  readonly epoch: string;
  readonly #window: HistoryWindow;
  offset = 0;
  subscribed = false;
  idleSinceMs = 0;
  bytes = 0;
  /** From `#head` on: what is retained, oldest first. */
  #retained: (Retained | undefined)[] = [];
  #head = 0;

  constructor(epoch: string, window: HistoryWindow) {
    this.epoch = epoch;
    this.#window = window;
  }

  get retainedCount(): number {
    return this.#retained.length - this.#head;
  }

  /** The offset of the oldest message that is retained; one past the newest when none is. */
  get firstOffset(): number {
    return this.offset - this.retainedCount + 1;
  }

  /** Take the next message in, and let go of what the window no longer holds. */
  append(publication: Publication, nowMs: number): Position {
    this.offset += 1;
    if (this.#window.size > 0 && this.#window.seconds > 0) {
      const bytes = roughSize(publication.message);
      this.#retained.push({ publication, bytes, atMs: nowMs });
      this.bytes += bytes;
      this.trim(nowMs);
    }
    return { epoch: this.epoch, offset: this.offset };
  }

  /** Retained messages after an offset, oldest first, at most `limit`, and fewer where they are large; at least one. */
  read(after: number, limit: number, nowMs: number): { offset: number; publication: Publication }[] {
    this.trim(nowMs);
    const first = this.firstOffset;
    const from = Math.max(after + 1, first);
    const messages: { offset: number; publication: Publication }[] = [];
    let bytes = 0;
    for (let offset = from; offset <= this.offset && messages.length < limit; offset += 1) {
      const retained = this.#retained[this.#head + offset - first];
      if (retained === undefined) continue;
      bytes += retained.bytes;
      if (bytes > MAX_PAGE_BYTES && messages.length > 0) break;
      messages.push({ offset, publication: retained.publication });
    }
    return messages;
  }

  trim(nowMs: number): void {
    const before = nowMs - this.#window.seconds * 1_000;
    while (
      this.retainedCount > this.#window.size ||
      (this.#retained[this.#head]?.atMs ?? Number.POSITIVE_INFINITY) <= before
    ) {
      this.dropOldest();
    }
  }

  /** @returns the bytes that were let go. */
  dropOldest(): number {
    const oldest = this.#retained[this.#head];
    if (oldest === undefined) return 0;
    // The array moves rarely; what the message takes is free at once.
    this.#retained[this.#head] = undefined;
    this.#head += 1;
    this.bytes -= oldest.bytes;
    // The array moves rarely, so that dropping costs the same however much is retained.
    if (this.#head > 64 && this.#head * 2 > this.#retained.length) {
      this.#retained = this.#retained.slice(this.#head);
      this.#head = 0;
    }
    return oldest.bytes;
  }
}
