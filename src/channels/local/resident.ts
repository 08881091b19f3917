import { SmallMap } from "../../lib/small-map.ts";
import type { TokenBucket } from "../../lib/token-bucket.ts";
import type { Member, Position } from "../../protocol/index.ts";
import { memberBytes } from "../broker/member-list.ts";
import { attend, type Client } from "../clients/attendance.ts";
import { Heard } from "../clients/heard.ts";

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
  /** Who is charged for what it does: its API key, or without one its address group. */
  readonly owner: string;
  /** Where it comes from: what it holds is counted with its addresses, too. */
  readonly addressGroup: string;
  data: unknown;
  /** About what the member that it is takes in memory. */
  memberBytes: number;
  /** What of its presence is told to others; made with the first of it. */
  presenceBucket: TokenBucket | undefined;
  readonly channels: SmallMap<Membership>;
  /** For how many channels it is counted: see {@link Places}. */
  places: number;
  /** What it has heard of channels that it left or caught up with: nothing is replayed twice to one connection. */
  heard: Map<string, Heard> | undefined;
};

/** Channels per connection of which it is remembered what was heard. */
const MAX_HEARD = 1_000;
const EMPTY_MEMBER_BYTES = memberBytes({ id: "", clientId: "", data: null });

export function createResident(id: string, client: Client, owner: string, addressGroup = ""): Resident {
  return {
    id,
    client,
    owner,
    addressGroup,
    data: null,
    memberBytes: EMPTY_MEMBER_BYTES,
    presenceBucket: undefined,
    channels: new SmallMap(),
    places: 0,
    heard: undefined,
  };
}

export function memberOf({ id, client, data }: Resident): Member {
  return { id, clientId: client.clientId, data };
}

/** What it says about itself from now on. */
export function setData(resident: Resident, data: unknown): void {
  resident.data = data;
  resident.memberBytes = memberBytes(memberOf(resident));
}

/** The channels of its memberships in this state. */
export function channelsIn({ channels }: Resident, state: Membership["state"]): string[] {
  const found: string[] = [];
  for (const [channel, membership] of channels) if (membership.state === state) found.push(channel);
  return found;
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

/** A membership ends: what it has heard while it lasted. */
export function noteHeard(resident: Resident, channel: string, membership: Membership, at: Position): void {
  if (membership.state === "joining") return;
  heardOf(resident, channel, at.epoch).add(membership.liveAfter, at.offset);
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
