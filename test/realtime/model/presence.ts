import { isDeepStrictEqual } from "node:util";
import { type GameRecord, isTakenOver } from "./trace.ts";
import { Broken } from "./truth.ts";

export type Members = Map<string, { readonly clientId: string; readonly data: unknown }>;

/**
 * Who is in a channel, by what the witness was told: nobody comes twice or goes without having come, and a client is there
 * under one connection at a time.
 * @throws Broken
 */
export function checkPresence({ witness }: GameRecord, channel: string): Members {
  const members: Members = new Map();
  const broken = (text: string): Broken => new Broken(`${channel}: ${text}`, channel, [witness]);
  for (const entry of witness.trace) {
    if (entry.type !== "presence" || entry.channel !== channel) continue;
    const { kind, id, clientId, data, at } = entry;
    const isThere = members.has(id);
    if (kind !== "join" && !isThere && id !== witness.id)
      throw broken(`at ${at}, ${kind} of ${id}, who is not there`);
    if (kind === "join") {
      if (isThere) throw broken(`at ${at}, ${id} came twice`);
      const other = [...members].find(([, member]) => member.clientId === clientId);
      if (other !== undefined)
        throw broken(`at ${at}, client ${clientId} came as ${id} while it is there as ${other[0]}`);
    }
    if (kind === "leave") members.delete(id);
    else members.set(id, { clientId, data });
  }
  return members;
}

/**
 * At the end the witness knows exactly those whom the server lists, in their order, and those are the ones who joined.
 * @throws Broken
 */
export function checkMembers(
  record: GameRecord,
  channel: string,
  listed: readonly Record<string, unknown>[],
): void {
  const broken = (text: string): Broken =>
    new Broken(`${channel}: ${text}`, channel, [record.witness, ...record.visits]);
  const known = [...checkPresence(record, channel)].map(([id, { clientId, data }]) => ({
    id,
    clientId,
    data,
  }));
  const others = listed.filter(({ id }) => id !== record.witness.id);
  if (!isDeepStrictEqual(known, others))
    throw broken(`the witness knows ${JSON.stringify(known)}, the list is ${JSON.stringify(others)}`);
  const expected = record.visits
    .filter(
      (visit) =>
        Number.isNaN(visit.endedAt) && !isTakenOver(visit, record.visits) && isMember(visit.trace, channel),
    )
    .map(({ id }) => id);
  const polledOut = new Set(
    record.visits.filter(({ endedAt }) => !Number.isNaN(endedAt)).map(({ id }) => id),
  );
  const ids = new Set(others.map(({ id }) => String(id)));
  for (const id of expected) if (!ids.has(id)) throw broken(`${id} is a member and not in the list`);
  for (const id of ids)
    if (!expected.includes(id) && !polledOut.has(id)) throw broken(`${id} is in the list and no member`);
}

function isMember(trace: GameRecord["witness"]["trace"], channel: string): boolean {
  let isIn = false;
  for (const entry of trace) {
    if (entry.type === "closed" && entry.channel === channel) isIn = false;
    if (entry.type !== "ack" || entry.request.channel !== channel) continue;
    if (entry.request.event === "join") isIn = entry.answer["ok"] === true;
    else if (entry.request.event === "leave" && entry.answer["ok"] === true) isIn = false;
  }
  return isIn;
}
