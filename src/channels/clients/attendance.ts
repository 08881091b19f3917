import type { SmallMap } from "../../lib/small-map.ts";
import type { Position } from "../../protocol/index.ts";

/** Since when a client has been a member of a channel, across its reconnects. */
type Attendance = {
  readonly epoch: string;
  /** It has heard, or may be replayed, everything after this offset. */
  from: number;
  /** Nothing before this is replayed, whatever its rights: it was sent while they were withdrawn. */
  floor: number;
  /** The right ended; the next join begins anew. */
  isWithdrawn: boolean;
  /** It left of its own will: what is kept is what it may not be replayed. */
  isLeft: boolean;
};

/** A program across its reconnects. */
export type Client = {
  readonly clientId: string;
  /** The key that it connected with; null where none is required. */
  readonly keyId: string | null;
  /** Of its newest `resume` token, from 1. */
  generation: number;
  readonly attendances: SmallMap<Attendance>;
  /** Some were forgotten that it may not be replayed: in a channel that is not known, it is replayed nothing. */
  hasForgotten: boolean;
  /** The connection that it has now. */
  connectionId: string | undefined;
};

/** Channels that a client attends or has left: twice those that a connection may be in, for it may come back to others. */
const MAX_ATTENDANCES = 2_000;

/**
 * Note that a client is a member from a position on; what it attended before it lost its connection goes on.
 * @returns the offset after which it may be replayed without the `history` right, and with it.
 */
export function attend(
  client: Client,
  channel: string,
  { epoch, offset }: Position,
): { from: number; floor: number } {
  const known = client.attendances.get(channel);
  const isSame = known?.epoch === epoch;
  if (known !== undefined && isSame && !known.isWithdrawn && !known.isLeft) return known;
  const isBarred = known?.isWithdrawn ?? client.hasForgotten;
  const floor = isBarred ? offset : isSame ? known.floor : 0;
  const attendance = { epoch, from: offset, floor, isWithdrawn: false, isLeft: false };
  // Joined last is forgotten last.
  client.attendances.delete(channel);
  client.attendances.set(channel, attendance);
  if (client.attendances.size > MAX_ATTENDANCES) forgetOne(client);
  return attendance;
}

/** The oldest that it has left, or else the oldest. */
function forgetOne(client: Client): void {
  let oldest: string | undefined;
  for (const [channel, { isLeft }] of client.attendances) {
    oldest ??= channel;
    if (!isLeft) continue;
    oldest = channel;
    break;
  }
  if (oldest === undefined) return;
  const attendance = client.attendances.get(oldest);
  if (attendance?.isWithdrawn === true || (attendance?.floor ?? 0) > 0) client.hasForgotten = true;
  client.attendances.delete(oldest);
}

/**
 * Forgets the oldest channel that it has left. Whether its right to it is withdrawn meanwhile is not noted then: it is replayed
 * nothing in channels that are not known. @returns whether there was one
 */
export function forgetLeft(client: Client): boolean {
  for (const [channel, { isLeft }] of client.attendances) {
    if (!isLeft) continue;
    client.hasForgotten = true;
    client.attendances.delete(channel);
    return true;
  }
  return false;
}

/** It left of its own will: what is sent from now on it has not attended. What it may not be replayed stays so. */
export function leaveOff(client: Client, channel: string): void {
  const attendance = client.attendances.get(channel);
  if (attendance !== undefined) attendance.isLeft = true;
}

/** Its right was taken away, in one channel or in all. */
export function withdraw(client: Client, channel?: string): void {
  if (channel === undefined) {
    withdrawWhere(client, () => true);
    return;
  }
  const attendance = client.attendances.get(channel);
  if (attendance !== undefined) attendance.isWithdrawn = true;
}

/** The same in those of the channels that it attends for which this holds. */
export function withdrawWhere(client: Client, isLost: (channel: string) => boolean): void {
  for (const [channel, attendance] of client.attendances) {
    if (!attendance.isWithdrawn && isLost(channel)) attendance.isWithdrawn = true;
  }
}
