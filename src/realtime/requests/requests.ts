import { binaryOf, type Hub, isShallow, parseChannel, parsePublication } from "../../channels/index.ts";
import { redeem } from "../../gate/index.ts";
import { joinRefusal, type OverloadState } from "../../overload/index.ts";
import type { LimitKind } from "../../policy/index.ts";
import type {
  HistoryAck,
  JoinAck,
  MembersAck,
  MessageAck,
  OkAck,
  Position,
  Refusal,
} from "../../protocol/index.ts";
import { LIMITS, refuse } from "../../protocol/index.ts";
import type { Connection } from "../connections/connection.ts";

/** What a client said: only the payload's own fields are looked at. */
type Fields = Readonly<Record<string, unknown>>;

export type RequestContext = {
  readonly hub: Hub;
  readonly overload: OverloadState;
  readonly connection: Connection;
  readonly now: () => number;
};
export type Answer = HistoryAck | JoinAck | MessageAck | MembersAck | OkAck | Refusal;
type Handler = (context: RequestContext, fields: Fields) => Promise<Answer>;

/** What a profile may weigh: it is kept per member and sent to every watcher. */
const MAX_PROFILE_BYTES = 16 * 1024;
const MAX_PROFILE_DEPTH = 20;

/** When a node that has as many channels as it takes is asked again, it may have fewer. */
const RETRY_JOIN_MS = 10_000;

const OK: OkAck = { ok: true };

/** The events that a client may send, with the payloads of PROTOCOL.md. */
export const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["join", (context, fields) => context.connection.turns.change(() => join(context, fields))],
  ["leave", (context, fields) => context.connection.turns.change(() => leave(context, fields))],
  ["update", (context, fields) => context.connection.turns.change(() => update(context, fields))],
  [
    "message",
    (context, fields) => {
      return inTurn(context.connection, "calls", () => message(context, fields));
    },
  ],
  ["members", (context, fields) => inTurn(context.connection, "reads", () => members(context, fields))],
  // One after the other, as they are read: 64 answers of a megabyte would wait otherwise.
  ["history", (context, fields) => context.connection.turns.change(() => history(context, fields))],
]);

/** To be counted takes a while: what is sent behind it waits, so that the order stays. */
function inTurn(connection: Connection, kind: LimitKind, task: () => Promise<Answer>): Promise<Answer> {
  const { turns } = connection;
  return connection.isLimited(kind) ? turns.change(task) : turns.run(task);
}

async function join({ hub, overload, connection }: RequestContext, fields: Fields): Promise<Answer> {
  const parsed = parseChannel(fields["channel"]);
  if ("allowed" in parsed) return parsed;
  const { channel } = parsed;
  const echo = echoOf(connection, fields);
  if (typeof echo !== "boolean") return echo;
  const since = parsePosition(fields["since"]);
  if (since === "fault")
    return refuse("invalid_payload", "since is { epoch, offset }, as a message had them");
  const asked = connection.charge("join", channel, "joins");
  const charge = asked instanceof Promise ? await asked : asked;
  if (!charge.allowed) return charge;
  if (!hub.isMember(connection.id, channel)) {
    const refusal = limitRefusal(hub.limitOf(connection.id, channel)) ?? joinRefusal(overload);
    if (refusal !== undefined) {
      await charge.giveBack?.();
      return refusal;
    }
  }
  const debtMs = hub.presenceDebtMs(connection.id);
  if (debtMs > 0) {
    await charge.giveBack?.();
    return refusePresence(debtMs);
  }
  const position = await redeem(charge, () =>
    hub.join(connection.id, channel, {
      echo,
      watch: () => connection.mayStill("presence", channel).allowed,
      since,
      mayReadHistory: () => connection.mayStill("history", channel).allowed,
    }),
  );
  if (position !== undefined) return { ok: true, channel, ...position };
  await charge.giveBack?.();
  // Taken out while the broker was asked: say what holds now.
  const now = connection.mayStill("join", channel);
  return now.allowed ? refuse("not_a_member", "the membership ended while it began: join again") : now;
}

function limitRefusal(limit: ReturnType<Hub["limitOf"]>): Refusal | undefined {
  if (limit === undefined) return undefined;
  return limit === "too_many_channels" ? refuse(limit, undefined, RETRY_JOIN_MS) : refuse(limit);
}

async function leave({ hub, connection }: RequestContext, fields: Fields): Promise<Answer> {
  const parsed = parseChannel(fields["channel"]);
  if ("allowed" in parsed) return parsed;
  const echo = echoOf(connection, fields);
  if (typeof echo !== "boolean") return echo;
  const left = await hub.leave(connection.id, parsed.channel, echo);
  if (!left) return refuse("not_a_member", "this connection is not a member of the channel");
  // Whoever is in may always leave. It is counted all the same: who joins and leaves in turns is held up where it joins.
  if (connection.isLimited("joins")) await connection.count("joins");
  return OK;
}

async function message({ hub, connection, now }: RequestContext, fields: Fields): Promise<Answer> {
  const echo = echoOf(connection, fields);
  if (typeof echo !== "boolean") return echo;
  const isBroadcast = fields["channel"] === undefined;
  const parsedChannel = isBroadcast ? undefined : parseChannel(fields["channel"]);
  if (parsedChannel !== undefined && "allowed" in parsedChannel) return parsedChannel;
  const parsed = parsePublication(fields, {
    from: { id: connection.id, clientId: connection.clientId },
    exceptId: echo ? undefined : connection.id,
    now: now(),
  });
  if ("allowed" in parsed) return parsed;
  const { publication } = parsed;
  if (parsedChannel === undefined) {
    const asked = connection.charge("broadcast", undefined, "calls");
    const charge = asked instanceof Promise ? await asked : asked;
    if (!charge.allowed) return charge;
    const sent = await redeem(charge, () =>
      delivering(hub, connection, () => hub.broadcast(publication, connection.audience)),
    );
    if (sent === "sent") return { ok: true, id: publication.id };
    await charge.giveBack?.();
    return refuse("server_shutdown");
  }
  const { channel } = parsedChannel;
  const asked = connection.charge("publish", channel, "calls");
  const charge = asked instanceof Promise ? await asked : asked;
  if (!charge.allowed) return charge;
  const idempotency = fields["id"] === undefined ? undefined : { scope: connection.idempotencyScope };
  const { owner } = connection;
  const position = await redeem(charge, () =>
    delivering(hub, connection, () => hub.publish(channel, publication, { owner, idempotency })),
  );
  if (typeof position === "string") {
    await charge.giveBack?.();
    return refuse(position === "conflict" ? "id_conflict" : "server_shutdown");
  }
  return { ok: true, id: publication.id, ...position };
}

/** What a publish is delivered to on this node within its call is work that its sender caused. */
function delivering<T>(hub: Hub, connection: Connection, publish: () => Promise<T>): Promise<T> {
  const before = hub.traffic.delivered;
  const published = publish();
  connection.addWork(hub.traffic.delivered - before);
  return published;
}

async function update({ hub, connection }: RequestContext, fields: Fields): Promise<Answer> {
  const echo = echoOf(connection, fields);
  if (typeof echo !== "boolean") return echo;
  const verdict = connection.mayConnect();
  if (!verdict.allowed) return verdict;
  const debtMs = hub.presenceDebtMs(connection.id);
  if (debtMs > 0) return refusePresence(debtMs);
  const data = fields["data"] ?? null;
  if (!isShallow(data, MAX_PROFILE_DEPTH)) {
    return refuse("invalid_payload", `data is nested more than ${MAX_PROFILE_DEPTH} levels deep`);
  }
  // Looked at first: as JSON, a byte takes several characters.
  const text = binaryOf(data).bytes > MAX_PROFILE_BYTES ? undefined : JSON.stringify(data);
  if (text === undefined || Buffer.byteLength(text) > MAX_PROFILE_BYTES) {
    return refuse("payload_too_large", `data is at most ${MAX_PROFILE_BYTES} bytes of JSON`);
  }
  if (!connection.isLimited("joins")) {
    await hub.update(connection.id, JSON.parse(text), echo);
    return OK;
  }
  const charge = await connection.charge("connect", undefined, "joins");
  if (!charge.allowed) return charge;
  await redeem(charge, () => hub.update(connection.id, JSON.parse(text), echo));
  return OK;
}

async function members({ hub, connection }: RequestContext, fields: Fields): Promise<Answer> {
  const parsed = parseChannel(fields["channel"]);
  if ("allowed" in parsed) return parsed;
  const { after } = fields;
  const limit = limitOf(fields, LIMITS.membersPageDefault, LIMITS.membersPageMax);
  if (typeof limit !== "number") return limit;
  if (after !== undefined && after !== null && !isCursor(after)) {
    return refuse("invalid_payload", "after is the next of an earlier page");
  }
  const asked = connection.charge("presence", parsed.channel, "reads");
  const charge = asked instanceof Promise ? await asked : asked;
  if (!charge.allowed) return charge;
  const page = await redeem(charge, () => hub.members(parsed.channel, { limit, after: after ?? undefined }));
  if (page === "off") {
    await charge.giveBack?.();
    return refuse("unsupported", "the server does not list this channel's members");
  }
  return { ok: true, ...page };
}

async function history({ hub, connection }: RequestContext, fields: Fields): Promise<Answer> {
  const parsed = parseChannel(fields["channel"]);
  if ("allowed" in parsed) return parsed;
  const after = parsePosition(fields["after"]);
  if (after === "fault")
    return refuse("invalid_payload", "after is { epoch, offset }, as a message had them");
  const limit = limitOf(fields, LIMITS.historyPageDefault, LIMITS.historyPageMax);
  if (typeof limit !== "number") return limit;
  await connection.untilRead();
  const asked = connection.charge("history", parsed.channel, "reads");
  const charge = asked instanceof Promise ? await asked : asked;
  if (!charge.allowed) return charge;
  return {
    ok: true,
    ...(await redeem(charge, () => hub.history(parsed.channel, after, limit, connection.owner, true))),
  };
}

function refusePresence(afterMs: number): Refusal {
  return refuse(
    "rate_limit_exceeded",
    "too many members hear of this connection's changes",
    Math.ceil(afterMs),
  );
}

/** `{ epoch, offset }`, or nothing. */
function parsePosition(value: unknown): Position | undefined | "fault" {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object") return "fault";
  const { epoch, offset }: { epoch?: unknown; offset?: unknown } = value;
  const isPosition =
    typeof epoch === "string" &&
    epoch.length <= 100 &&
    typeof offset === "number" &&
    Number.isSafeInteger(offset) &&
    offset >= 0;
  return isPosition ? { epoch, offset } : "fault";
}

/** How many a page may have. Whoever asks for more than there are in one gets a full page, as over HTTP. */
function limitOf({ limit }: Fields, absent: number, most: number): number | Refusal {
  if (limit === undefined) return absent;
  if (typeof limit === "number" && Number.isSafeInteger(limit) && limit >= 1) return Math.min(limit, most);
  return refuse("invalid_payload", "limit is a whole number from 1 on");
}

function isCursor(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 100;
}

function echoOf(connection: Connection, fields: Fields): boolean | Refusal {
  const { echo = connection.echo } = fields;
  return typeof echo === "boolean" ? echo : refuse("invalid_payload", "echo is true or false");
}
