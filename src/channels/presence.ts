import type { PresenceCount, PresenceEvent } from "../protocol/index.ts";
import type { PresenceChange } from "./broker.ts";
import type { FanOut } from "./fan-out.ts";
import { LeaveQueue } from "./leave-queue.ts";

/** How often the members of a large channel are told their number, at most. */
const COUNT_EVERY_MS = 1_000;

/** Telling a number costs a write per member: from 5,000 on it is told less often. */
const COUNT_EVERY_MS_PER_MEMBER = 0.2;

/** A channel of more members than are told of each other. */
type Large = { count: number; toldAtMs: number; timer: NodeJS.Timeout | undefined };

/**
 * What a channel's watchers on this node hear of its members: each change, or in a large channel only how many there
 * are. It becomes large with the change that exceeds the bound, and small again when its number is told next: who comes
 * and goes at the bound costs no more than one notice a second each way.
 *
 * Owns what is still to be told, and the timers of the large channels, until `forget`.
 */
export class Presence {
  readonly #fanOut: FanOut;
  readonly #maxMembersOf: (channel: string) => number;
  readonly #leaves = new LeaveQueue((channel, change) => this.#tell(channel, change));
  readonly #large = new Map<string, Large>();
  /** Large channels whose number is to be told now: one in each turn of the event loop, since it is a write per member. */
  readonly #due = new Set<string>();
  #turn: NodeJS.Immediate | undefined;
  #isHeld = false;

  constructor(fanOut: FanOut, maxMembersOf: (channel: string) => number) {
    this.#fanOut = fanOut;
    this.#maxMembersOf = maxMembersOf;
  }

  /** Something changed in a channel with members on this node; `count` is their number after all changes. */
  take(channel: string, changes: readonly PresenceChange[], count: number): void {
    const large = this.#large.get(channel);
    if (large !== undefined) {
      large.count = count;
      this.#tellCountLater(channel, large);
      return;
    }
    if (count > this.#maxMembersOf(channel)) {
      this.#leaves.tellAll(channel);
      const begun: Large = { count, toldAtMs: 0, timer: undefined };
      this.#large.set(channel, begun);
      this.#tellCount(channel, begun);
      return;
    }
    for (const change of changes) {
      if (change.type === "leave") {
        this.#leaves.add(channel, change);
      } else {
        // Nobody is told to have left after it was told to have come again.
        this.#leaves.tellAll(channel);
        this.#tell(channel, change);
      }
    }
    this.#leaves.flow();
  }

  /** Tell a channel's leaves now, although they are held: somebody waits for one. */
  tellLeaves(channel: string): void {
    this.#leaves.tellAll(channel);
  }

  /** Tell nobody of leaves, nor of numbers, until the next `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#leaves.hold();
  }

  release(): void {
    this.#isHeld = false;
    this.#leaves.release();
    this.#tellDue();
  }

  /** Nobody on this node is in the channel any more. */
  forget(channel: string): void {
    this.#leaves.forget(channel);
    clearTimeout(this.#large.get(channel)?.timer);
    this.#large.delete(channel);
    this.#due.delete(channel);
  }

  close(): void {
    this.#leaves.close();
    for (const { timer } of this.#large.values()) clearTimeout(timer);
    this.#large.clear();
    clearImmediate(this.#turn);
    this.#due.clear();
  }

  #tell(channel: string, { type, member, exceptId }: PresenceChange): void {
    const payload: PresenceEvent = { channel, message: member };
    this.#fanOut.toWatchers(channel, `channel:${type}`, payload, exceptId);
  }

  #tellCountLater(channel: string, large: Large): void {
    if (large.timer !== undefined) return;
    const everyMs = Math.max(COUNT_EVERY_MS, large.count * COUNT_EVERY_MS_PER_MEMBER);
    const inMs = Math.max(0, large.toldAtMs + everyMs - performance.now());
    large.timer = setTimeout(() => {
      this.#due.add(channel);
      this.#tellDue();
    }, inMs);
  }

  #tellDue(): void {
    if (this.#turn !== undefined || this.#isHeld || this.#due.size === 0) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      if (this.#isHeld) return;
      for (const channel of this.#due) {
        this.#due.delete(channel);
        const large = this.#large.get(channel);
        if (large !== undefined) this.#tellCount(channel, large);
        break;
      }
      this.#tellDue();
    });
  }

  #tellCount(channel: string, large: Large): void {
    const { count } = large;
    const isLarge = count > this.#maxMembersOf(channel);
    large.timer = undefined;
    large.toldAtMs = performance.now();
    if (!isLarge) this.#large.delete(channel);
    const payload: PresenceCount = { channel, count, mode: isLarge ? "counts" : "events" };
    this.#fanOut.toWatchers(channel, "channel:presence", payload);
  }
}
