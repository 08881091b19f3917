import type { Member } from "../protocol/index.ts";
import type { Client } from "./attendance.ts";
import { roughSize } from "./rough-size.ts";

/** How long a client that came back may take to join its channels again before its leave is told. */
const REJOIN_MS = 2_000;

/** What all that lingers may about take, profiles included. */
const MAX_BYTES = 64 * 1024 * 1024;
const MEMBERSHIP_BYTES = 160;

type Entry = { readonly members: Map<string, Member>; readonly timer: NodeJS.Timeout; bytes: number };

/**
 * Memberships of connections that were taken over. Their clients are still here and about to join again: until they have,
 * or for a moment, they stay listed, and the others hear of the old id and the new one together. Owns the timers. An entry
 * ends with `take`, `takeAll` or its time, or the oldest a little earlier when there is too much; a client has one at most.
 */
export class Lingering {
  readonly #onLeft: (channel: string, member: Member, client: Client) => void;
  readonly #maxBytes: number;
  /** Oldest first. */
  readonly #byClient = new Map<Client, Entry>();
  #bytes = 0;

  constructor(onLeft: (channel: string, member: Member, client: Client) => void, maxBytes = MAX_BYTES) {
    this.#onLeft = onLeft;
    this.#maxBytes = maxBytes;
  }

  /** The time does not begin anew for a client that is taken over again and again. */
  add(client: Client, channels: readonly string[], member: Member): void {
    if (channels.length === 0) return;
    let entry = this.#byClient.get(client);
    if (entry === undefined) {
      const timer = setTimeout(() => this.#tellLeft(client), REJOIN_MS);
      entry = { members: new Map(), timer, bytes: 0 };
      this.#byClient.set(client, entry);
    }
    for (const channel of channels) entry.members.set(channel, member);
    this.#weigh(entry);
    for (const oldest of this.#byClient.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#tellLeft(oldest);
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
    this.#bytes = 0;
  }

  /** What a client was in a channel before it was taken over once more is not kept, and does not count. */
  #weigh(entry: Entry): void {
    let bytes = entry.members.size * MEMBERSHIP_BYTES;
    for (const { data } of new Set(entry.members.values())) bytes += roughSize(data);
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  #tellLeft(client: Client): void {
    for (const [channel, member] of this.takeAll(client)) this.#onLeft(channel, member, client);
  }

  #drop(client: Client, { timer, bytes }: Entry): void {
    clearTimeout(timer);
    this.#byClient.delete(client);
    this.#bytes -= bytes;
  }
}
