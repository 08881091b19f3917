import type { PresenceChange } from "./broker.ts";

/** How long telling the leaves of many may hold the event loop. */
const SLICE_MS = 1;

/** A channel's leaves in their order; those before `next` are told. */
type Waiting = { readonly changes: PresenceChange[]; next: number };

/**
 * Leaves that are still to be told, by channel. Few are told at once. Thousands are told in slices, so that others do
 * not wait, and channel by channel, so that what one watcher hears is written together.
 */
export class LeaveQueue {
  readonly #tell: (channel: string, change: PresenceChange) => void;
  readonly #waiting = new Map<string, Waiting>();
  #slice: NodeJS.Immediate | undefined;
  #isHeld = false;

  constructor(tell: (channel: string, change: PresenceChange) => void) {
    this.#tell = tell;
  }

  add(channel: string, change: PresenceChange): void {
    const waiting = this.#waiting.get(channel);
    if (waiting === undefined) this.#waiting.set(channel, { changes: [change], next: 0 });
    else waiting.changes.push(change);
  }

  /** Tell nothing until the next `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.flow();
  }

  /** Tell what waits, unless it is held. */
  flow(): void {
    if (this.#slice !== undefined || this.#isHeld || this.#waiting.size === 0) return;
    const untilMs = performance.now() + SLICE_MS;
    for (const channel of this.#waiting.keys()) {
      if (this.#tellUntil(channel, untilMs)) continue;
      this.#slice = setImmediate(() => {
        this.#slice = undefined;
        this.flow();
      });
      return;
    }
  }

  /** Tell a channel's leaves now, although they are held: something else is to be told there. */
  tellAll(channel: string): void {
    this.#tellUntil(channel, Number.POSITIVE_INFINITY);
  }

  forget(channel: string): void {
    this.#waiting.delete(channel);
  }

  close(): void {
    clearImmediate(this.#slice);
    this.#waiting.clear();
  }

  /** @returns whether all of the channel's are told. */
  #tellUntil(channel: string, untilMs: number): boolean {
    const waiting = this.#waiting.get(channel);
    if (waiting === undefined) return true;
    while (waiting.next < waiting.changes.length) {
      const change = waiting.changes[waiting.next];
      waiting.next += 1;
      if (change !== undefined) this.#tell(channel, change);
      if (performance.now() >= untilMs && waiting.next < waiting.changes.length) return false;
    }
    this.#waiting.delete(channel);
    return true;
  }
}
