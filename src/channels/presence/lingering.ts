import { FairQueue, Held } from "../../lib/fair-queue.ts";
import { shareOfMemory } from "../../lib/memory-share.ts";
import type { Member } from "../../protocol/index.ts";
import { roughSize } from "../broker/rough-size.ts";
import type { Client } from "../clients/attendance.ts";

/** How long a client that came back may take to join its channels again before its leave is told. */
const REJOIN_MS = 2_000;

/** What all that lingers may about take, profiles included. */
const MAX_BYTES = shareOfMemory(1 / 32, 64 * 1024 * 1024);
const MEMBERSHIP_BYTES = 160;

type OnLeft = (channel: string, member: Member, owner: string) => void;

class Entry extends Held<Entry> {
  readonly client: Client;
  readonly timer: NodeJS.Timeout;
  readonly members = new Map<string, Member>();

  constructor(client: Client, timer: NodeJS.Timeout) {
    super();
    this.client = client;
    this.timer = timer;
  }
}

/**
 * Memberships of connections that were taken over. Their clients are still here and about to join again: until they have,
 * or for a moment, they stay listed, and the others hear of the old id and the new one together. Owns the timers. An entry
 * ends with `take`, `takeAll` or its time, or a little earlier when there is too much and its owner has most of it; a client has one
 * at most.
 */
export class Lingering {
  readonly #onLeft: OnLeft;
  readonly #byClient = new Map<Client, Entry>();
  readonly #queue: FairQueue<Entry>;

  constructor(onLeft: OnLeft, maxBytes = MAX_BYTES) {
    this.#onLeft = onLeft;
    this.#queue = new FairQueue(maxBytes);
  }

  /** The time does not begin anew for a client that is taken over again and again. */
  add(client: Client, channels: readonly string[], member: Member, owner: string): void {
    if (channels.length === 0) return;
    let entry = this.#byClient.get(client);
    if (entry === undefined) {
      entry = new Entry(
        client,
        setTimeout(() => this.#tellLeft(client, owner), REJOIN_MS),
      );
      this.#byClient.set(client, entry);
    }
    for (const channel of channels) entry.members.set(channel, member);
    this.#queue.remove(entry);
    this.#queue.add(owner, entry, bytesOf(entry));
    while (this.#queue.isExceeded) {
      const { first } = this.#queue;
      if (first === undefined) return;
      this.#tellLeft(first.client, first.queue?.owner ?? owner);
    }
  }

  /** The member that the client was in this channel, which lingers no longer. */
  take(client: Client, channel: string): Member | undefined {
    const entry = this.#byClient.get(client);
    const member = entry?.members.get(channel);
    if (entry === undefined || member === undefined) return undefined;
    entry.members.delete(channel);
    if (entry.members.size === 0) this.#drop(client, entry);
    return member;
  }

  takeAll(client: Client): ReadonlyMap<string, Member> {
    const entry = this.#byClient.get(client);
    if (entry === undefined) return new Map();
    this.#drop(client, entry);
    return entry.members;
  }

  close(): void {
    for (const { timer } of this.#byClient.values()) clearTimeout(timer);
    this.#byClient.clear();
    this.#queue.clear();
  }

  #tellLeft(client: Client, owner: string): void {
    for (const [channel, member] of this.takeAll(client)) this.#onLeft(channel, member, owner);
  }

  #drop(client: Client, entry: Entry): void {
    clearTimeout(entry.timer);
    this.#byClient.delete(client);
    this.#queue.remove(entry);
  }
}

/** What a client was in a channel before it was taken over once more is not kept, and does not count. */
function bytesOf({ members }: Entry): number {
  let bytes = members.size * MEMBERSHIP_BYTES;
  for (const { data } of new Set(members.values())) bytes += roughSize(data);
  return bytes;
}
