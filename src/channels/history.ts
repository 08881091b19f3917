import type { History, Position } from "../protocol/index.ts";
import type { Broker } from "./broker.ts";
import { messageOf } from "./replay.ts";

/** Retained messages after a position, as members got them. */
export async function readHistory(
  broker: Broker,
  channel: string,
  after: Position | undefined,
  limit: number,
  owner: string,
): Promise<History> {
  const from = after?.offset ?? 0;
  const page = await broker.history(channel, from, limit, owner);
  // Of another life of the channel, everything is new.
  const isOther = after !== undefined && after.epoch !== page.epoch;
  const read = isOther && from > 0 ? await broker.history(channel, 0, limit, owner) : page;
  const { epoch, offset, firstOffset } = read;
  const messages = read.messages.map((message) => ({
    eventName: message.publication.eventName,
    ...messageOf(channel, message.publication, { epoch, offset: message.offset }),
  }));
  const last = messages.at(-1)?.offset ?? (isOther ? 0 : from);
  const complete = !isOther && firstOffset <= from + 1 && last >= offset;
  return { messages, epoch, offset, complete };
}
