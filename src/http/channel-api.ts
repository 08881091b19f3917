import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawServerDefault,
} from "fastify";
import { Type } from "typebox";
import { type Hub, type PublicationInput, parseChannel, parsePublication } from "../channels/index.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import {
  LIMITS,
  type Member,
  type Position,
  type Refusal,
  refuse,
  type WireError,
} from "../protocol/index.ts";
import type { Access } from "./access.ts";
import type { App } from "./app.ts";

const Broadcast = {
  eventName: Type.String(),
  message: Type.Optional(Type.Unknown()),
  id: Type.Optional(Type.String()),
};
const Publish = Type.Object({ channel: Type.String(), ...Broadcast }, { additionalProperties: false });
const BroadcastBody = Type.Object(Broadcast, { additionalProperties: false });
const MembersQuery = Type.Object({
  channel: Type.String(),
  limit: Type.Optional(Type.String({ pattern: "^[1-9][0-9]{0,3}$" })),
  after: Type.Optional(Type.String({ maxLength: 100 })),
});
const Batch = Type.Object(
  { messages: Type.Array(Publish, { minItems: 1, maxItems: 1_000 }) },
  { additionalProperties: false },
);
const HistoryQuery = Type.Object({
  channel: Type.String(),
  epoch: Type.Optional(Type.String({ maxLength: 100 })),
  after: Type.Optional(Type.String({ pattern: "^(0|[1-9][0-9]{0,14})$" })),
  limit: Type.Optional(Type.String({ pattern: "^[1-9][0-9]{0,3}$" })),
});
const ListQuery = Type.Object({ prefix: Type.Optional(Type.String({ maxLength: 200 })) });
/** Agnost's clients may send more fields than the channel. */
const GetMembers = Type.Object({ channel: Type.String() });

/** Of each at most a thousand members, and half a megabyte. */
const MAX_PAGES = 20;

/** What a server does on channels over HTTP: publish, broadcast, list members. */
export function registerChannelApi(app: App, access: Access, hub: Hub, log: Logger): void {
  app.register(async (scope) => {
    // What the hub throws is the broker's: as over sockets, it is away and may be asked again.
    scope.setErrorHandler((error, _request, reply) => {
      if (error instanceof Error && "statusCode" in error) throw error;
      log.error({ fault: faultOf(error) }, "the broker did not answer");
      return reply.refuse(refuse("unavailable"));
    });
    registerRoutes(scope.withTypeProvider<TypeBoxTypeProvider>(), access, hub);
  });
}

type Scope = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

function registerRoutes(app: Scope, access: Access, hub: Hub): void {
  const onRequest = access.authenticate;

  app.post("/channels/publish", { onRequest, schema: { body: Publish } }, async (request, reply) => {
    const result = await publish(access, hub, request, reply, request.body);
    return "allowed" in result ? reply.refuse(result) : result;
  });

  app.post("/channels/broadcast", { onRequest, schema: { body: BroadcastBody } }, async (request, reply) => {
    const publication = parse(request.body);
    if ("allowed" in publication) return reply.refuse(publication);
    const charge = await access.charge(request, reply, { action: "broadcast" });
    if (!charge.allowed) return reply.refuse(charge);
    await hub.broadcast(publication);
    return { id: publication.id };
  });

  app.post("/channels/publish/batch", { onRequest, schema: { body: Batch } }, async (request, reply) => {
    // In their order; each has an answer of its own and counts by itself, since each may have another channel.
    const results: object[] = [];
    for (const message of request.body.messages) {
      const result = await publish(access, hub, request, reply, message);
      results.push("allowed" in result ? { error: errorOf(result) } : result);
    }
    return { results };
  });

  app.get(
    "/channels/history",
    { onRequest, schema: { querystring: HistoryQuery } },
    async (request, reply) => {
      const { channel, epoch, after, limit } = request.query;
      const parsed = parseChannel(channel);
      if ("allowed" in parsed) return reply.refuse(parsed);
      if ((epoch === undefined) !== (after === undefined)) {
        return reply.refuse(refuse("invalid_request", "epoch and after belong together"));
      }
      const verdict = access.decide(request, { action: "history", channel: parsed.channel });
      if (!verdict.allowed) return reply.refuse(verdict);
      const position = epoch === undefined ? undefined : { epoch, offset: Number(after) };
      const page =
        limit === undefined ? LIMITS.historyPageDefault : Math.min(Number(limit), LIMITS.historyPageMax);
      return hub.history(parsed.channel, position, page);
    },
  );

  app.get("/channels", { onRequest, schema: { querystring: ListQuery } }, async (request, reply) => {
    const { prefix = "" } = request.query;
    const open = access.decide(request, { action: "connect" });
    if (!open.allowed) return reply.refuse(open);
    // Only what the key may see the members of; counted as one use.
    const mayList = (channel: string): boolean =>
      access.recheck(request, { action: "presence", channel }).allowed;
    return { items: hub.channels(prefix, LIMITS.membersPageMax, mayList) };
  });

  app.get(
    "/channels/members",
    { onRequest, schema: { querystring: MembersQuery } },
    async (request, reply) => {
      const { channel, limit, after } = request.query;
      const parsed = mayListMembers(access, request, channel);
      if ("allowed" in parsed) return reply.refuse(parsed);
      const page =
        limit === undefined ? LIMITS.membersPageDefault : Math.min(Number(limit), LIMITS.membersPageMax);
      const answer = await hub.members(parsed.channel, { limit: page, after });
      return answer === "off" ? reply.refuse(notListed()) : answer;
    },
  );

  const getMembers = async (
    request: FastifyRequest<{ Body: { channel: string } }>,
    reply: FastifyReply,
  ): Promise<readonly Member[] | FastifyReply> => {
    const parsed = mayListMembers(access, request, request.body.channel);
    if ("allowed" in parsed) return reply.refuse(parsed);
    const members = await firstMembers(hub, parsed.channel);
    return members === "off" ? reply.refuse(notListed()) : members;
  };
  app.post("/agnost/realtime/get-members", { onRequest, schema: { body: GetMembers } }, getMembers);
  app.post("/:env/agnost/realtime/get-members", { onRequest, schema: { body: GetMembers } }, getMembers);
}

async function publish(
  access: Access,
  hub: Hub,
  request: FastifyRequest,
  reply: FastifyReply,
  body: PublicationInput,
): Promise<({ readonly id: string } & Position) | Refusal> {
  const parsed = parseChannel(body.channel);
  if ("allowed" in parsed) return parsed;
  const publication = parse(body);
  if ("allowed" in publication) return publication;
  const charge = await access.charge(request, reply, { action: "publish", channel: parsed.channel });
  if (!charge.allowed) return charge;
  const keyId = access.callerOf(request)?.identity.key?.id ?? "";
  const idempotency = body.id === undefined ? undefined : { scope: `${keyId}/` };
  const position = await hub.publish(parsed.channel, publication, idempotency);
  if (position !== "conflict") return { id: publication.id, ...position };
  await charge.giveBack?.();
  return refuse("id_conflict");
}

function errorOf({ code, message, afterMs }: Refusal): WireError {
  return afterMs === undefined ? { code, message } : { code, message, afterMs };
}

function parse(body: PublicationInput): ReturnType<typeof takePublication> {
  return takePublication(parsePublication(body, { from: null, now: Date.now() }));
}

function takePublication(parsed: ReturnType<typeof parsePublication>) {
  return "allowed" in parsed ? parsed : parsed.publication;
}

function mayListMembers(
  access: Access,
  request: FastifyRequest,
  name: string,
): { channel: string } | Refusal {
  const parsed = parseChannel(name);
  if ("allowed" in parsed) return parsed;
  const verdict = access.decide(request, { action: "presence", channel: parsed.channel });
  return verdict.allowed ? parsed : verdict;
}

/** Agnost's call knows no pages: what it answers is bounded by their number here. */
async function firstMembers(hub: Hub, channel: string): Promise<readonly Member[] | "off"> {
  const all: Member[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await hub.members(channel, { limit: LIMITS.membersPageMax, after });
    if (page === "off") return page;
    all.push(...page.members);
    if (page.next === null) break;
    after = page.next;
  }
  return all;
}

function notListed(): Refusal {
  return refuse("unsupported", "the server does not list this channel's members");
}
