import type { ChannelGap, ChannelMessage, Position } from "../../protocol/index.ts";
import type { Broker, Publication } from "../broker/broker.ts";
import type { Heard } from "../clients/heard.ts";
import type { HubOptions } from "../local/hub-options.ts";

/** How many messages are read from the broker at a time. */
const PAGE = 500;

export type ReplayRequest = {
  /** What the client says it has heard. */
  readonly since: Position;
  /** Nothing up to this offset is its to hear. Asked again after each wait. */
  readonly from: () => number;
  /** What this very connection has heard of the channel before; noted as it goes on. */
  readonly heard: Heard;
  readonly clientId: string;
  readonly owner: string;
  /** Whether the join still goes on; asked after each wait. */
  readonly isWanted: () => boolean;
  /** See {@link HubOptions.deliver}. */
  readonly deliver: (eventName: string, payload: unknown) => Promise<void> | undefined;
};

/** A message as its members get it. */
export function messageOf(channel: string, publication: Publication, position: Position): ChannelMessage {
  const { id, from, message, timestamp } = publication;
  return { channel, message, id, from, timestamp, ...position };
}

/**
 * Send a joining connection what it has missed, in order, up to what this node has delivered to the others, and say
 * what it will not get. When it returns, nothing has been waited for since the last message was read: who attaches
 * the connection in the same turn leaves no gap and no duplicate.
 *
 * @param room how far this node has delivered the channel; looked at again after each wait
 * @returns undefined when the join ended meanwhile
 */
export async function replay(
  broker: Broker,
  room: Readonly<Position>,
  channel: string,
  request: ReplayRequest,
): Promise<{ readonly recovered: boolean } | undefined> {
  const { since, from, heard, clientId, owner, isWanted, deliver } = request;
  const missing = (after: number, before: number, reason: ChannelGap["reason"]): void => {
    const gap: ChannelGap = { channel, epoch: room.epoch, after, before, reason };
    void deliver("channel:gap", gap);
  };
  if (since.epoch !== room.epoch || since.offset > room.offset) {
    missing(since.epoch === room.epoch ? room.offset : 0, room.offset + 1, "epoch_lost");
    return { recovered: false };
  }
  let recovered = true;
  let after = heard.endAfter(since.offset);
  const miss = (upTo: number, reason: ChannelGap["reason"]): void => {
    missing(after, upTo + 1, reason);
    recovered = false;
    after = heard.endAfter(upTo);
  };
  const skipForeign = (): void => {
    const first = from();
    if (first > after) miss(first, "not_a_member");
  };
  skipForeign();
  if (heard.forgottenUpTo > after) miss(heard.forgottenUpTo, "trimmed");
  while (after < room.offset) {
    const before = after;
    const page = await broker.history(channel, after, PAGE, owner);
    if (!isWanted()) return undefined;
    skipForeign();
    if (page.epoch !== room.epoch) {
      missing(after, room.offset + 1, "epoch_lost");
      return { recovered: false };
    }
    if (page.firstOffset > after + 1) miss(Math.min(page.firstOffset - 1, room.offset), "trimmed");
    for (const { offset, publication } of page.messages) {
      if (offset <= after || offset > room.offset) continue;
      heard.add(offset - 1, offset);
      after = heard.endAfter(offset);
      // What it sent without wanting it back is not missing.
      if (publication.exceptId !== undefined && publication.from?.clientId === clientId) continue;
      const full = deliver(
        publication.eventName,
        messageOf(channel, publication, { epoch: page.epoch, offset }),
      );
      if (full === undefined) continue;
      await full;
      if (!isWanted()) return undefined;
      skipForeign();
    }
    if (after === before) {
      // The broker has nothing of what this node has delivered: it cannot be replayed.
      missing(after, room.offset + 1, "trimmed");
      return { recovered: false };
    }
  }
  return { recovered };
}
