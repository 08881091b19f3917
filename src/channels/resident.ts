import type { Member, Position } from "../protocol/index.ts";
import { attend, type Client } from "./attendance.ts";
import { Heard } from "./heard.ts";
import { SmallMap } from "./small-map.ts";

export type Membership = {
  state: "joining" | "joined" | "leaving";
  watching: boolean;
  /** Once joined, it hears everything after this offset. */
  liveAfter: number;
};

/** A connection as the hub knows it: no socket, no key, no permission. */
export type Resident = {
  readonly id: string;
  readonly client: Client;
  data: unknown;
  readonly channels: SmallMap<Membership>;
  /** What it has heard of channels that it left or caught up with: nothing is replayed twice to one connection. */
  heard: Map<string, Heard> | undefined;
};

/** Channels per connection of which it is remembered what was heard. */
const MAX_HEARD = 1_000;

export function createResident(id: string, client: Client): Resident {
  return { id, client, data: null, channels: new SmallMap(), heard: undefined };
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

/** What it has heard of the channel in this life of it. */
export function heardOf(resident: Resident, channel: string, epoch: string): Heard {
  resident.heard ??= new Map();
  const all = resident.heard;
  const known = all.get(channel);
  if (known?.epoch === epoch) return known;
  const heard = new Heard(epoch);
  all.set(channel, heard);
  if (all.size > MAX_HEARD) {
    for (const oldest of all.keys()) {
      all.delete(oldest);
      break;
    }
  }
  return heard;
}

/** How far back `since` may reach for this connection. */
export function reachOf(
  { client }: Resident,
  channel: string,
  position: Position,
  mayReadHistory: boolean,
): number {
  const { from, floor } = attend(client, channel, position);
  return mayReadHistory ? floor : from;
}
