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
import { LIMITS, type Member, type Refusal, refuse } from "../protocol/index.ts";
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
/** Agnost's clients may send more fields than the channel. */
const GetMembers = Type.Object({ channel: Type.String() });

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
    const parsed = parseChannel(request.body.channel);
    if ("allowed" in parsed) return reply.refuse(parsed);
    const publication = parse(request.body);
    if ("allowed" in publication) return reply.refuse(publication);
    const verdict = access.decide(request, { action: "publish", channel: parsed.channel });
    if (!verdict.allowed) return reply.refuse(verdict);
    const keyId = access.callerOf(request)?.identity.key?.id ?? "";
    const idempotency = request.body.id === undefined ? undefined : { scope: `${keyId}/` };
    const position = await hub.publish(parsed.channel, publication, idempotency);
    if (position === "conflict") return reply.refuse(refuse("id_conflict"));
    return { id: publication.id, ...position };
  });

  app.post("/channels/broadcast", { onRequest, schema: { body: BroadcastBody } }, async (request, reply) => {
    const publication = parse(request.body);
    if ("allowed" in publication) return reply.refuse(publication);
    const verdict = access.decide(request, { action: "broadcast" });
    if (!verdict.allowed) return reply.refuse(verdict);
    await hub.broadcast(publication);
    return { id: publication.id };
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
      return hub.members(parsed.channel, { limit: page, after });
    },
  );

  const getMembers = async (
    request: FastifyRequest<{ Body: { channel: string } }>,
    reply: FastifyReply,
  ): Promise<readonly Member[] | FastifyReply> => {
    const parsed = mayListMembers(access, request, request.body.channel);
    if ("allowed" in parsed) return reply.refuse(parsed);
    return everyMember(hub, parsed.channel);
  };
  app.post("/agnost/realtime/get-members", { onRequest, schema: { body: GetMembers } }, getMembers);
  app.post("/:env/agnost/realtime/get-members", { onRequest, schema: { body: GetMembers } }, getMembers);
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

/** Agnost's call knows no pages. */
async function everyMember(hub: Hub, channel: string): Promise<readonly Member[]> {
  const all: Member[] = [];
  let after: string | undefined;
  for (;;) {
    const { members, next } = await hub.members(channel, { limit: LIMITS.membersPageMax, after });
    all.push(...members);
    if (next === null) return all;
    after = next;
  }
}
