import type { Member, Position } from "../protocol/index.ts";
import { attend, type Client } from "./clients.ts";

export type Membership = { state: "joining" | "joined" | "leaving"; watching: boolean };

/** A connection as the hub knows it: no socket, no key, no permission. */
export type Resident = {
  readonly id: string;
  readonly client: Client;
  data: unknown;
  readonly channels: Map<string, Membership>;
  /** Channels that it has left, and up to where it had heard them: nothing is replayed twice to one connection. */
  readonly heard: Map<string, Position>;
};

/** Channels per connection of which it is remembered how far they were heard. */
const MAX_HEARD = 1_000;

export function createResident(id: string, client: Client): Resident {
  return { id, client, data: null, channels: new Map(), heard: new Map() };
}

export function memberOf({ id, client, data }: Resident): Member {
  return { id, clientId: client.clientId, data };
}

/** The channels whose members know of it. Takes the memberships out: nothing that is still under way may count. */
export function joinedBy({ channels }: Resident): readonly string[] {
  const joined = [...channels].filter(([, { state }]) => state === "joined").map(([channel]) => channel);
  channels.clear();
  return joined;
}

/** Note how far a connection that leaves has heard the channel. */
export function rememberHeard(resident: Resident, channel: string, { epoch, offset }: Position): void {
  resident.heard.set(channel, { epoch, offset });
  if (resident.heard.size <= MAX_HEARD) return;
  for (const oldest of resident.heard.keys()) {
    resident.heard.delete(oldest);
    break;
  }
}

/** How far back `since` may reach for this connection: what it attended, minus what it has heard already. */
export function reachOf(
  resident: Resident,
  channel: string,
  position: Position,
  mayReadHistory: boolean,
): { readonly from: number; readonly heard: number } {
  const { from, floor } = attend(resident.client, channel, position);
  const heard = resident.heard.get(channel);
  return { from: mayReadHistory ? floor : from, heard: heard?.epoch === position.epoch ? heard.offset : 0 };
}
