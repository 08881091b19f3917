import { type History, LIMITS, type Position } from "../../protocol/index.ts";
import type { Broker, RetainedMessage } from "../broker/broker.ts";
import { isMarked } from "./binary-marks.ts";
import { messageOf } from "./replay.ts";

/**
 * Retained messages after a position, as members got them.
 *
 * @param isOnePacket whether all of them have to be decodable as one packet of Socket.IO; the page ends before what is not
 */
export async function readHistory(
  broker: Broker,
  channel: string,
  after: Position | undefined,
  limit: number,
  owner: string,
  isOnePacket = false,
): Promise<History> {
  const from = after?.offset ?? 0;
  const page = await broker.history(channel, from, limit, owner);
  // Of another life of the channel, everything is new.
  const isOther = after !== undefined && after.epoch !== page.epoch;
  const read = isOther && from > 0 ? await broker.history(channel, 0, limit, owner) : page;
  const { epoch, offset, firstOffset } = read;
  const fitting = isOnePacket ? onePacket(read.messages) : read.messages;
  const messages = fitting.map((message) => ({
    eventName: message.publication.eventName,
    ...messageOf(channel, message.publication, { epoch, offset: message.offset }),
  }));
  const last = messages.at(-1)?.offset ?? (isOther ? 0 : from);
  const complete = !isOther && firstOffset <= from + 1 && last >= offset;
  return { messages, epoch, offset, complete };
}

/**
 * The first of these messages that a reader can decode from one packet: it takes ten attachments in all, and beside attachments it takes
 * what looks like the mark of one for one. A single message that was published is always decodable.
 */
function onePacket(messages: readonly RetainedMessage[]): readonly RetainedMessage[] {
  let attachments = 0;
  for (const [index, { publication }] of messages.entries()) {
    const { binaryCount = 0, message } = publication;
    const isFirst = attachments === 0 && binaryCount > 0;
    attachments += binaryCount;
    // Where nothing is binary, nobody looks for marks.
    if (attachments === 0) continue;
    const isMixed = isFirst
      ? messages.slice(0, index).some(isMarkedText)
      : binaryCount === 0 && isMarked(message);
    if (attachments > LIMITS.attachmentsPerPacket || isMixed) return messages.slice(0, Math.max(1, index));
  }
  return messages;
}

function isMarkedText({ publication }: RetainedMessage): boolean {
  return isMarked(publication.message);
}
