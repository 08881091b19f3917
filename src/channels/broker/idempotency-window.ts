import { hash } from "node:crypto";
import { FairQueue, Held } from "../../lib/fair-queue.ts";
import type { Position } from "../../protocol/index.ts";

/** Who repeats: ids of different keys or clients never meet. */
export type Idempotency = { readonly scope: string };

export type IdempotencyOptions = {
  readonly windowMs: number;
  /** Ids that are remembered at most, of all owners: the oldest of the one that has most is forgotten first. */
  readonly maxIds: number;
};

/** Ids whose window is over that one call forgets: more than it adds. */
const FORGOTTEN_AT_ONCE = 4;

/** Longer keys are remembered as their digest, so that each id takes about the same. */
const MAX_KEY_CHARS = 128;

class Seen extends Held<Seen> {
  readonly key: string;
  readonly fingerprint: string;
  readonly position: Position;
  readonly atMs: number;

  constructor(key: string, fingerprint: string, position: Position, atMs: number) {
    super();
    this.key = key;
    this.fingerprint = fingerprint;
    this.position = position;
    this.atMs = atMs;
  }
}

/** The message ids of the last while, with the place that each got. Bounded in number, fairly among owners, and in time. */
export class IdempotencyWindow {
  readonly #windowMs: number;
  readonly #byKey = new Map<string, Seen>();
  readonly #queue: FairQueue<Seen>;

  constructor({ windowMs, maxIds }: IdempotencyOptions) {
    this.#windowMs = windowMs;
    this.#queue = new FairQueue(maxIds);
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** The place that this id has had, `conflict` when it was used for another body, undefined when it is new. */
  find(key: string, fingerprint: string, nowMs: number): Position | "conflict" | undefined {
    const seen = this.#byKey.get(key);
    if (seen === undefined || this.#isOver(seen, nowMs)) return undefined;
    return seen.fingerprint === fingerprint ? seen.position : "conflict";
  }

  remember(owner: string, key: string, fingerprint: string, position: Position, nowMs: number): void {
    // An id that comes back after its window is the newest again.
    const known = this.#byKey.get(key);
    if (known !== undefined) this.#forget(known);
    const seen = new Seen(key, fingerprint, position, nowMs);
    this.#byKey.set(key, seen);
    this.#queue.add(owner, seen, 1);
    for (let forgotten = 0; forgotten < FORGOTTEN_AT_ONCE; forgotten += 1) {
      const oldest = this.#queue.isExceeded ? this.#queue.first : this.#queue.oldestOf(owner);
      if (oldest === undefined || !(this.#queue.isExceeded || this.#isOver(oldest, nowMs))) return;
      this.#forget(oldest);
    }
  }

  /** Forgets those whose window is over, one in each step. */
  *forgetOld(nowMs: number): Generator<void> {
    for (const owner of this.#queue.owners()) {
      yield;
      for (;;) {
        const oldest = this.#queue.oldestOf(owner);
        if (oldest === undefined || !this.#isOver(oldest, nowMs)) break;
        this.#forget(oldest);
        yield;
      }
    }
  }

  clear(): void {
    this.#byKey.clear();
    this.#queue.clear();
  }

  #isOver({ atMs }: Seen, nowMs: number): boolean {
    return atMs <= nowMs - this.#windowMs;
  }

  #forget(seen: Seen): void {
    this.#byKey.delete(seen.key);
    this.#queue.remove(seen);
  }
}

/** One id of one scope in one channel. The parts cannot run into each other: names have no control characters. */
export function idempotencyKey(channel: string, { scope }: Idempotency, id: string): string {
  // Joined, not concatenated: a concatenation keeps its parts, and is one more object for each.
  const key = [channel, scope, id].join("\0");
  return key.length > MAX_KEY_CHARS ? hash("sha256", key, "base64") : key;
}
