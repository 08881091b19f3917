import type { PresenceCount, PresenceEvent } from "../../protocol/index.ts";
import type { PresenceChange } from "../broker/broker.ts";
import type { FanOut } from "../local/fan-out.ts";
import { PresenceQueue } from "./presence-queue.ts";

/** How often the members of a large channel are told their number, at most. */
const COUNT_EVERY_MS = 1_000;

/** Telling a number costs a write per member: from 5,000 on it is told less often. */
const COUNT_EVERY_MS_PER_MEMBER = 0.2;

/** So many bytes for one connection cost about what a write does. */
const BYTES_PER_WRITE = 8_192;

export type PresenceOptions = {
  readonly fanOut: FanOut;
  /** In a channel of more members than this they are not told of each other. */
  readonly maxMembersOf: (channel: string) => number;
  /** How many on this node hear of a channel's members, at most. */
  readonly watchersOf: (channel: string) => number;
  readonly isWatching: (channel: string, connectionId: string) => boolean;
  /** Send one connection what it is told alone. */
  readonly deliver: (connectionId: string, eventName: string, payload: unknown) => void;
  /** See {@link PresenceQueue}. */
  readonly costPerTurn?: number | undefined;
};

/** A channel of more members than are told of each other. */
type Large = { count: number; toldAtMs: number; timer: NodeJS.Timeout | undefined };

/**
 * What a channel's watchers on this node hear of its members: each change, or in a large channel only how many there
 * are. It becomes large with the change that exceeds the bound, and small again when its number is told next: who comes
 * and goes at the bound costs no more than one notice a second each way.
 *
 * Who asked to hear of its own deed hears it at once, however long the others wait. Owns what is still to be told, and the timers of
 * the large channels, until `forget`.
 */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #queue: PresenceQueue;
  readonly #large = new Map<string, Large>();
  /** Large channels whose number is to be told now: one in each turn of the event loop, since it is a write per member. */
  readonly #due = new Set<string>();
  #turn: NodeJS.Immediate | undefined;
  #isHeld = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#queue = new PresenceQueue({
      tellNow: (channel, change) => this.#tell(channel, change, change.exceptId),
      // Who did it has heard it by itself.
      tellLater: (channel, change) => {
        const { id } = change.member;
        return this.#tell(channel, change, options.isWatching(channel, id) ? id : undefined);
      },
      costOf: options.watchersOf,
      costPerTurn: options.costPerTurn,
    });
  }

  /** Something changed in a channel with members on this node; `count` is their number after all changes. */
  take(channel: string, changes: readonly PresenceChange[], count: number): void {
    const large = this.#large.get(channel);
    if (large !== undefined) {
      large.count = count;
      this.#tellCountLater(channel, large);
      return;
    }
    if (count > this.#options.maxMembersOf(channel)) {
      this.#queue.tellAll(channel);
      const begun: Large = { count, toldAtMs: 0, timer: undefined };
      this.#large.set(channel, begun);
      this.#tellCount(channel, begun);
      return;
    }
    for (const change of changes) {
      if (this.#queue.isFree(channel, change.type)) {
        this.#queue.tellNow(channel, change);
      } else {
        this.#echo(channel, change);
        this.#queue.add(channel, change);
      }
    }
  }

  /** Whether a channel's members are told of each other, rather than their number. */
  tellsEach(channel: string): boolean {
    return !this.#large.has(channel) && this.#options.maxMembersOf(channel) > 0;
  }

  /** Somebody is told who is in the channel. */
  noteListed(channel: string): void {
    this.#queue.noteListed(channel);
  }

  /** A message of this member comes next: who hears it is told before that it came. */
  beforeMessage(channel: string, memberId: string | undefined): void {
    if (memberId !== undefined && this.#queue.size > 0) this.#queue.tellUpTo(channel, memberId);
  }

  /** Tell nobody of leaves, nor of numbers, until the next `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#queue.hold();
  }

  release(): void {
    this.#isHeld = false;
    this.#queue.release();
    this.#tellDue();
  }

  /** Nobody on this node is in the channel any more. */
  forget(channel: string): void {
    this.#queue.forget(channel);
    clearTimeout(this.#large.get(channel)?.timer);
    this.#large.delete(channel);
    this.#due.delete(channel);
  }

  close(): void {
    this.#queue.close();
    for (const { timer } of this.#large.values()) clearTimeout(timer);
    this.#large.clear();
    clearImmediate(this.#turn);
    this.#due.clear();
  }

  /** What others wait for, the one who did it does not if it asked to hear it: its own comes before its acknowledgement. */
  #echo(channel: string, { type, member, exceptId }: PresenceChange): void {
    if (exceptId !== undefined || !this.#options.isWatching(channel, member.id)) return;
    const payload: PresenceEvent = { channel, message: member };
    this.#options.deliver(member.id, `channel:${type}`, payload);
  }

  /** @returns what it costs beside the writes: its bytes, for each who hears it. */
  #tell(channel: string, change: PresenceChange, exceptId: string | undefined): number {
    const { fanOut, watchersOf } = this.#options;
    const { type, member } = change;
    const payload: PresenceEvent = { channel, message: member };
    const bytes = fanOut.toWatchers(channel, `channel:${type}`, payload, exceptId);
    return 1 + (watchersOf(channel) * bytes) / BYTES_PER_WRITE;
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
    const isLarge = count > this.#options.maxMembersOf(channel);
    large.timer = undefined;
    large.toldAtMs = performance.now();
    if (!isLarge) this.#large.delete(channel);
    const payload: PresenceCount = { channel, count, mode: isLarge ? "counts" : "events" };
    this.#options.fanOut.toWatchers(channel, "channel:presence", payload);
  }
}
