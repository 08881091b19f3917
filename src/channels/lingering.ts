import type { Member } from "../protocol/index.ts";
import type { Client } from "./clients.ts";

/** How long a client that came back may take to join its channels again before its leave is told. */
const REJOIN_MS = 2_000;

type Entry = { readonly members: Map<string, Member>; readonly timer: NodeJS.Timeout };

/**
 * Memberships of connections that were taken over. Their clients are still here and about to join again: until they have,
 * or for a moment, they stay listed, and the others hear of the old id and the new one together. Owns the timers. An entry
 * ends with `take`, `takeAll` or its time; a client has one at most.
 */
export class Lingering {
  readonly #onLeft: (channel: string, member: Member) => void;
  readonly #byClient = new Map<Client, Entry>();

  constructor(onLeft: (channel: string, member: Member) => void) {
    this.#onLeft = onLeft;
  }

  /** The time does not begin anew for a client that is taken over again and again. */
  add(client: Client, channel: string, member: Member): void {
    let entry = this.#byClient.get(client);
    if (entry === undefined) {
      const timer = setTimeout(() => {
        for (const [name, left] of this.takeAll(client)) this.#onLeft(name, left);
      }, REJOIN_MS);
      entry = { members: new Map(), timer };
      this.#byClient.set(client, entry);
    }
    entry.members.set(channel, member);
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
  }

  #drop(client: Client, { timer }: Entry): void {
    clearTimeout(timer);
    this.#byClient.delete(client);
  }
}
