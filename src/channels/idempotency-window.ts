import type { Position } from "../protocol/index.ts";

/** Who repeats: ids of different keys or clients never meet. */
export type Idempotency = { readonly scope: string };

export type IdempotencyOptions = {
  readonly windowMs: number;
  /** Ids that are remembered at most; the oldest is forgotten first. */
  readonly maxIds: number;
};

type Seen = { readonly fingerprint: string; readonly position: Position; readonly atMs: number };

/** The message ids of the last while, with the place that each got. Bounded in number and time. */
export class IdempotencyWindow {
  readonly #options: IdempotencyOptions;
  /** Oldest first. */
  readonly #seen = new Map<string, Seen>();

  constructor(options: IdempotencyOptions) {
    this.#options = options;
  }

  /** The place that this id has had, `conflict` when it was used for another body, undefined when it is new. */
  find(key: string, fingerprint: string, nowMs: number): Position | "conflict" | undefined {
    const seen = this.#seen.get(key);
    if (seen === undefined || seen.atMs <= nowMs - this.#options.windowMs) return undefined;
    return seen.fingerprint === fingerprint ? seen.position : "conflict";
  }

  remember(key: string, fingerprint: string, position: Position, nowMs: number): void {
    // An id that comes back after its window is the newest again.
    this.#seen.delete(key);
    this.#seen.set(key, { fingerprint, position, atMs: nowMs });
    this.#forget(nowMs);
  }

  clear(): void {
    this.#seen.clear();
  }

  #forget(nowMs: number): void {
    const { windowMs, maxIds } = this.#options;
    for (const [key, { atMs }] of this.#seen) {
      if (atMs > nowMs - windowMs && this.#seen.size <= maxIds) return;
      this.#seen.delete(key);
    }
  }
}

/** One id of one scope in one channel. The parts cannot run into each other: names have no control characters. */
export function idempotencyKey(channel: string, { scope }: Idempotency, id: string): string {
  return `${channel}\0${scope}\0${id}`;
}
