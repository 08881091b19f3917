import { performance } from "node:perf_hooks";
import { FairBudget } from "../../lib/fair-budget.ts";
import { type Refusal, refuse } from "../../protocol/index.ts";

/** A message's frame, which all who are sent it share. */
export type SharedFrame = {
  readonly frame: Buffer;
  /** Whom it is charged to: who published it. */
  readonly owner: string;
  /** Readers that have not taken it yet. */
  holders: number;
};

/** A connection that is behind. */
export type UnsentReader = {
  readonly outbound: { readonly unreadBytes: number; readonly readBytes: number };
  /** It has read nothing for a while, and the node is short of room. */
  endAsSlow(): void;
};

/** What one connection has not taken yet, oldest first. */
type Unsent = { frames: SharedFrame[]; bytes: number; readBytes: number; progressMs: number };

/** What a frame costs for each who has not taken it, beside the frame. */
const HOLDER_BYTES = 200;

const SWEEP_MS = 250;

/** What one sweep looks at; the others come with the next ones. */
const MAX_SWEPT = 1_000;

/** How long whoever holds frames may read nothing while the node is short of room. */
const MAX_IDLE_MS = 1_000;

/**
 * The frames that connections have been handed and have not taken, counted once where they are shared. Half full, whoever's
 * messages take more than their share of it may not publish for now, and connections that have read nothing for a second go, the one
 * that holds most first. Whoever reads is never ended for what others sent to it.
 *
 * Owns a list for each connection that is behind, and a timer while there are any.
 */
export class UnsentFrames {
  readonly #budget: FairBudget;
  readonly #readers = new Map<UnsentReader, Unsent>();
  #timer: NodeJS.Timeout | undefined;

  constructor(maxUnsentBytes: number) {
    this.#budget = new FairBudget(maxUnsentBytes);
  }

  get totalBytes(): number {
    return this.#budget.total;
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** These frames were handed to a connection that could not take them at once. */
  hold(reader: UnsentReader, frames: readonly SharedFrame[]): void {
    let unsent = this.#readers.get(reader);
    if (unsent === undefined) {
      unsent = {
        frames: [],
        bytes: 0,
        readBytes: reader.outbound.readBytes,
        progressMs: performance.now(),
      };
      this.#readers.set(reader, unsent);
      this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    }
    for (const one of frames) {
      unsent.frames.push(one);
      unsent.bytes += one.frame.length;
      one.holders += 1;
      this.#budget.charge(one.owner, HOLDER_BYTES + (one.holders === 1 ? one.frame.length : 0));
    }
  }

  /** It is gone. */
  release(reader: UnsentReader): void {
    const unsent = this.#readers.get(reader);
    if (unsent === undefined) return;
    this.#take(unsent, unsent.frames.length);
    this.#forget(reader);
  }

  /** Why this owner may not publish at the moment. */
  refusal({ owner }: { readonly owner: string }): Refusal | undefined {
    if (!this.#isShort || this.#budget.amountOf(owner) < this.#budget.fairShare / 2) return undefined;
    return refuse(
      "unavailable",
      "those who hear these messages do not keep up: send them more slowly",
      1_000,
    );
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#readers.clear();
    this.#budget.clear();
  }

  get #isShort(): boolean {
    return this.#budget.total * 2 > this.#budget.max;
  }

  #sweep(): void {
    const nowMs = performance.now();
    const idle: { reader: UnsentReader; bytes: number }[] = [];
    for (const [reader, unsent] of [...this.#firstReaders(MAX_SWEPT)]) {
      const { unreadBytes, readBytes } = reader.outbound;
      if (readBytes !== unsent.readBytes) {
        unsent.readBytes = readBytes;
        unsent.progressMs = nowMs;
      }
      let taken = 0;
      for (let { bytes } = unsent; taken < unsent.frames.length; taken += 1) {
        bytes -= unsent.frames[taken]?.frame.length ?? 0;
        if (bytes < unreadBytes) break;
      }
      this.#take(unsent, unreadBytes === 0 ? unsent.frames.length : taken);
      if (unsent.frames.length === 0) this.#forget(reader);
      else if (nowMs - unsent.progressMs >= MAX_IDLE_MS) idle.push({ reader, bytes: unsent.bytes });
      // Others come first the next time.
      if (unsent.frames.length > 0 && this.#readers.delete(reader)) this.#readers.set(reader, unsent);
    }
    idle.sort((a, b) => b.bytes - a.bytes);
    for (const { reader } of idle) {
      if (!this.#isShort) break;
      this.release(reader);
      reader.endAsSlow();
    }
  }

  *#firstReaders(max: number): Generator<[UnsentReader, Unsent]> {
    let count = 0;
    for (const entry of this.#readers) {
      if (count === max) return;
      count += 1;
      yield entry;
    }
  }

  /** The first so many are with the system. */
  #take(unsent: Unsent, count: number): void {
    if (count === 0) return;
    for (const one of unsent.frames.splice(0, count)) {
      unsent.bytes -= one.frame.length;
      one.holders -= 1;
      this.#budget.discharge(one.owner, HOLDER_BYTES + (one.holders === 0 ? one.frame.length : 0));
    }
  }

  #forget(reader: UnsentReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
