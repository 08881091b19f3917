import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawServerDefault,
} from "fastify";
import {
  type Hub,
  ownerOf,
  type PublicationInput,
  parseChannel,
  parsePublication,
} from "../channels/index.ts";
import { type Charge, redeem } from "../gate/index.ts";
import type { TurnBudget } from "../lib/turn-budget.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import { type OverloadState, publishRefusal } from "../overload/index.ts";
import { addressGroup } from "../policy/index.ts";
import {
  type HttpSender,
  LIMITS,
  type Position,
  type Refusal,
  refuse,
  type WireError,
} from "../protocol/index.ts";
import { type Access, bytesOf } from "./access.ts";
import { CHANNEL_ROUTES } from "./channel-schemas.ts";
import { jsonMessage } from "./json-message.ts";

type Published = { readonly id: string } & Position;

/** Of each at most a thousand members, and half a megabyte. */
const MAX_PAGES = 20;

/** Says why whoever is charged for what readers have not taken yet may not publish for now. */
export type PublisherPace = { publisherRefusal(publisher: { readonly owner: string }): Refusal | undefined };

export type ChannelApiOptions = {
  readonly hub: Hub;
  readonly realtime: PublisherPace;
  readonly overload: OverloadState;
  /** What clients ask for takes its time of each turn of the event loop from here, over HTTP as over sockets. */
  readonly turn: TurnBudget;
  readonly log: Logger;
};

/** What a server does on channels over HTTP: publish, broadcast, list members. */
export function registerChannelApi(
  app: FastifyInstance,
  access: Access,
  { hub, realtime, overload, turn, log }: ChannelApiOptions,
): void {
  app.register(async (scope) => {
    // Before its body is read: what is large is refused while the node is overloaded.
    scope.addHook("onRequest", async (request, reply) => {
      const refusal = publishRefusal(overload, bytesOf(request.raw));
      return refusal === undefined ? undefined : reply.refuse(refusal);
    });
    // Before anything is decided: what is allowed now may not be when its turn comes.
    scope.addHook("preHandler", async (request) => {
      const owner = ownerOfRequest(access, request);
      await turn.untilTurn(owner);
      turn.begin(owner);
    });
    // The schemas of answers document them; what is answered is not cut down to them.
    scope.setSerializerCompiler(() => JSON.stringify);
    // What the hub throws is the broker's: as over sockets, it is away and may be asked again.
    const onFault = (error: unknown): void =>
      log.error({ fault: faultOf(error) }, "the broker did not answer");
    scope.setErrorHandler((error, _request, reply) => {
      if (error instanceof Error && "statusCode" in error) throw error;
      onFault(error);
      return reply.refuse(refuse("unavailable"));
    });
    const refuseTooFast = async (request: FastifyRequest, reply: FastifyReply) => {
      const refusal = realtime.publisherRefusal({ owner: ownerOfRequest(access, request) });
      return refusal === undefined ? undefined : reply.refuse(refusal);
    };
    registerRoutes(scope.withTypeProvider<TypeBoxTypeProvider>(), access, hub, { onFault, refuseTooFast });
  });
}

type Scope = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

type RouteHooks = {
  onFault(error: unknown): void;
  refuseTooFast(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
};

function registerRoutes(app: Scope, access: Access, hub: Hub, { onFault, refuseTooFast }: RouteHooks): void {
  const onRequest = access.authenticate;
  const toPublish = { onRequest, preHandler: refuseTooFast };

  app.post("/channels/publish", { ...toPublish, schema: CHANNEL_ROUTES.publish }, async (request, reply) => {
    const result = await publish(access, hub, request, reply, request.body);
    return "allowed" in result ? reply.refuse(result) : result;
  });

  app.post(
    "/channels/broadcast",
    { ...toPublish, schema: CHANNEL_ROUTES.broadcast },
    async (request, reply) => {
      const publication = parse(request.body, senderOf(access, request));
      if ("allowed" in publication) return reply.refuse(publication);
      const charge = await access.charge(request, reply, { action: "broadcast" });
      if (!charge.allowed) return reply.refuse(charge);
      const sent = await redeem(charge, () => hub.broadcast(publication, access.audienceOf(request)));
      if (sent === "sent") return { id: publication.id };
      await charge.giveBack?.();
      return reply.refuse(refuse("server_shutdown"));
    },
  );

  app.post(
    "/channels/publish/batch",
    { ...toPublish, schema: CHANNEL_ROUTES.batch },
    async (request, reply) => {
      // In their order; each has an answer of its own and counts by itself, since each may have another channel.
      const results: (Published | { readonly error: WireError })[] = [];
      const { messages } = request.body;
      try {
        for (const message of messages) {
          const result = await publish(access, hub, request, reply, message);
          results.push("allowed" in result ? { error: errorOf(result) } : result);
        }
      } catch (error) {
        // Something of it was taken, and the caller has to know what. What follows would overtake what failed.
        if (!results.some((result) => "offset" in result)) throw error;
        onFault(error);
        const missed = messages.slice(results.length).map(() => ({ error: errorOf(refuse("unavailable")) }));
        results.push(...missed);
      }
      return { results };
    },
  );

  app.get("/channels/history", { onRequest, schema: CHANNEL_ROUTES.history }, async (request, reply) => {
    const { channel, epoch, after, limit } = request.query;
    const parsed = parseChannel(channel);
    if ("allowed" in parsed) return reply.refuse(parsed);
    if ((epoch === undefined) !== (after === undefined)) {
      return reply.refuse(refuse("invalid_request", "epoch and after belong together"));
    }
    const wanted = { action: "history", channel: parsed.channel } as const;
    const charge = await access.charge(request, reply, wanted, "reads");
    if (!charge.allowed) return reply.refuse(charge);
    const position = epoch === undefined ? undefined : { epoch, offset: Number(after) };
    const page =
      limit === undefined ? LIMITS.historyPageDefault : Math.min(Number(limit), LIMITS.historyPageMax);
    const owner = ownerOfRequest(access, request);
    const read = await redeem(charge, () => hub.history(parsed.channel, position, page, owner));
    const messages = read.messages.map((message) => ({ ...message, ...jsonMessage(message.message) }));
    return { ...read, messages };
  });

  app.get("/channels", { onRequest, schema: CHANNEL_ROUTES.list }, async (request, reply) => {
    const { prefix = "", after = "", limit = LIMITS.membersPageMax } = request.query;
    const open = await access.charge(request, reply, { action: "connect" }, "reads");
    if (!open.allowed) return reply.refuse(open);
    // Only what the key may see the members of; counted as one use.
    const mayList = (channel: string): boolean =>
      access.recheck(request, { action: "presence", channel }).allowed;
    const page = { prefix, after, limit: Math.min(Number(limit), LIMITS.membersPageMax) };
    const listed = await hub.channels({ ...page, owner: access.ownerOf(request), isWanted: mayList });
    if (listed !== "busy") return listed;
    return reply.refuse(refuse("rate_limit_exceeded", "too many lists of channels are under way", 1_000));
  });

  app.get("/channels/members", { onRequest, schema: CHANNEL_ROUTES.members }, async (request, reply) => {
    const { channel, limit, after } = request.query;
    const asked = await chargeMembers(access, request, reply, channel);
    if (!asked.allowed) return reply.refuse(asked);
    const page =
      limit === undefined ? LIMITS.membersPageDefault : Math.min(Number(limit), LIMITS.membersPageMax);
    const answer = await redeem(asked, () => hub.members(channel, { limit: page, after }));
    if (answer !== "off") return answer;
    await asked.giveBack?.();
    return reply.refuse(notListed());
  });

  app.post(
    "/agnost/realtime/get-members",
    { onRequest, schema: CHANNEL_ROUTES.getMembers },
    async (request, reply) => {
      const members = await everyMember(access, hub, request, reply, request.body.channel);
      return typeof members === "string" ? sendJson(reply, members) : reply.refuse(members);
    },
  );
  app.post(
    "/:env/agnost/realtime/get-members",
    { onRequest, schema: CHANNEL_ROUTES.getMembersOfEnvironment },
    async (request, reply) => {
      const members = await everyMember(access, hub, request, reply, request.body.channel);
      return typeof members === "string" ? sendJson(reply, members) : reply.refuse(members);
    },
  );
}

async function publish(
  access: Access,
  hub: Hub,
  request: FastifyRequest,
  reply: FastifyReply,
  body: PublicationInput,
): Promise<Published | Refusal> {
  const parsed = parseChannel(body.channel);
  if ("allowed" in parsed) return parsed;
  const from = senderOf(access, request);
  const publication = parse(body, from);
  if ("allowed" in publication) return publication;
  const charge = await access.charge(request, reply, { action: "publish", channel: parsed.channel });
  if (!charge.allowed) return charge;
  const idempotency = body.id === undefined ? undefined : { scope: `${from.key ?? ""}/` };
  const owner = ownerOfRequest(access, request);
  const beganMs = performance.now();
  const position = await redeem(charge, () =>
    hub.publish(parsed.channel, publication, { owner, idempotency }),
  );
  if (typeof position !== "string") {
    hub.traffic.publishTime.observe(performance.now() - beganMs);
    return { id: publication.id, ...position };
  }
  await charge.giveBack?.();
  return refuse(position === "conflict" ? "id_conflict" : "server_shutdown");
}

function errorOf({ code, message, afterMs }: Refusal): WireError {
  return afterMs === undefined ? { code, message } : { code, message, afterMs };
}

/** Who publishes over HTTP: whoever holds the key, which may be a page's. The server itself is `null`. */
function senderOf(access: Access, request: FastifyRequest): HttpSender {
  return { id: null, clientId: null, key: access.callerOf(request)?.identity.key?.id ?? null };
}

/** Who is charged for what is kept of it. */
function ownerOfRequest(access: Access, request: FastifyRequest): string {
  const caller = access.callerOf(request);
  return ownerOf(caller?.identity.key?.id, addressGroup(caller?.ip ?? null));
}

function parse(body: PublicationInput, from: HttpSender): ReturnType<typeof takePublication> {
  return takePublication(parsePublication(body, { from, now: Date.now() }));
}

function takePublication(parsed: ReturnType<typeof parsePublication>) {
  return "allowed" in parsed ? parsed : parsed.publication;
}

async function chargeMembers(
  access: Access,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
): Promise<Charge> {
  const parsed = parseChannel(name);
  if ("allowed" in parsed) return parsed;
  return access.charge(request, reply, { action: "presence", channel: parsed.channel }, "reads");
}

/**
 * Agnost's call knows no pages: what it answers is bounded by their number here. A page at a time is turned into text, with a turn
 * of the event loop between, since all of them take tens of milliseconds. @returns the JSON of the answer
 */
async function everyMember(
  access: Access,
  hub: Hub,
  request: FastifyRequest,
  reply: FastifyReply,
  channel: string,
): Promise<string | Refusal> {
  const charge = await chargeMembers(access, request, reply, channel);
  if (!charge.allowed) return charge;
  const text = await redeem(charge, () => textOfMembers(hub, channel));
  if (text === undefined) await charge.giveBack?.();
  return text ?? notListed();
}

/** Undefined where the configuration says that members are not listed. */
async function textOfMembers(hub: Hub, channel: string): Promise<string | undefined> {
  const texts: string[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    if (pages > 0) await nextTurn();
    const page = await hub.members(channel, { limit: LIMITS.membersPageMax, after });
    if (page === "off") return undefined;
    if (page.members.length > 0) texts.push(JSON.stringify(page.members).slice(1, -1));
    if (page.next === null) break;
    after = page.next;
  }
  return `[${texts.join(",")}]`;
}

/** What is JSON text already. */
function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("application/json; charset=utf-8").send(text);
}

function notListed(): Refusal {
  return refuse("unsupported", "the server does not list this channel's members");
}
