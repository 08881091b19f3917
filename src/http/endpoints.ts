import { performance } from "node:perf_hooks";
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Hub, parseChannel, parsePublication, SERVER_OWNER } from "../channels/index.ts";
import type { EndpointContext, EndpointDeclaration, RealtimeForHandlers } from "../config.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import type { Traffic } from "../observe/traffic.ts";
import { LIMITS, type Refusal, refuse } from "../protocol/index.ts";
import { type Access, queryOf } from "./access.ts";
import type { App } from "./app.ts";

/** Of one connection, not of an answer (RFC 9110, 7.6.1): the server's own. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What the server has said of its own limits stays so; where it has said nothing, an application may. */
const LIMIT_HEADERS: ReadonlySet<string> = new Set(["ratelimit", "ratelimit-policy", "retry-after"]);

/** Where an API key may travel: an application's handler has no business with it. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(["authorization", "x-api-key"]);

export type EndpointsOptions = {
  readonly endpointPrefix: string;
  readonly endpoints: readonly EndpointDeclaration[];
  readonly hub: Hub;
  readonly traffic: Traffic;
  readonly log: Logger;
};

/**
 * The application's endpoints below `prefix`. The gate decides about the declared route that matched, never
 * about the text of the URL; a HEAD follows its GET.
 */
export function registerEndpoints(
  app: App,
  access: Access,
  { endpointPrefix: prefix, endpoints, hub, traffic, log }: EndpointsOptions,
): void {
  const realtime = realtimeFor(hub);
  app.register(
    async (scope) => {
      for (const endpoint of endpoints) {
        const { id, method, path } = endpoint;
        const counts = traffic.endpoint(id);
        scope.route({
          method,
          url: path,
          onRequest: async (request, reply) => {
            const refused = await access.authenticate(request, reply);
            if (refused !== undefined) return refused;
            const verdict = access.precheck(request, { action: "endpoint", endpoint: { id, method, path } });
            return verdict.allowed ? undefined : reply.refuse(verdict);
          },
          handler: async (request, reply) => {
            // The body may have taken its time: the key is decided as it is now, and its limits count a call whose body is good.
            const wanted = { action: "endpoint", endpoint: { id, method, path } } as const;
            const charge = await access.charge(request, reply, wanted);
            if (!charge.allowed) return reply.refuse(charge);
            const key = access.callerOf(request)?.identity.key;
            if (key?.policy === undefined) return reply.refuse(refuse("invalid_api_key"));
            counts.calls += 1;
            const beganMs = performance.now();
            const context = contextOf(request, { id: key.id, name: key.policy.settings.name }, realtime);
            try {
              const result: unknown = await endpoint.handler(context);
              return answer(reply, result);
            } catch (error) {
              log.error({ endpointId: id, fault: faultOf(error) }, "an endpoint's handler failed");
              return reply.refuse(refuse("internal_error"));
            } finally {
              counts.time.observe(performance.now() - beganMs);
            }
          },
        });
      }
      // Whoever has no good key learns nothing about which paths exist.
      scope.setNotFoundHandler(async (request, reply) => {
        const caller = await access.identify(request);
        if ("allowed" in caller) return reply.refuse(caller);
        const verdict = access.recheckFor(caller, { action: "endpoint" });
        const isKnown = verdict.allowed || (verdict.status !== 401 && verdict.status !== 503);
        return reply.refuse(isKnown ? refuse("not_found", "no such endpoint is declared") : verdict);
      });
    },
    { prefix },
  );
}

function contextOf(
  request: FastifyRequest,
  key: { id: string; name: string },
  realtime: RealtimeForHandlers,
): EndpointContext {
  const query = queryOf(request);
  query.delete("apikey");
  // A browser sends the console's cookie to every port of its host.
  const cookie = request.headers.cookie
    ?.split(/; */)
    .filter((pair) => !pair.startsWith("sluice_"))
    .join("; ");
  const headers = Object.entries({ ...request.headers, cookie }).filter(
    ([name, value]) => !CREDENTIAL_HEADERS.has(name) && value !== undefined && value !== "",
  );
  return {
    method: request.method,
    params: paramsOf(request.params),
    query,
    body: request.body,
    headers: Object.fromEntries(headers),
    key,
    realtime,
  };
}

function paramsOf(params: unknown): Record<string, string> {
  if (typeof params !== "object" || params === null) return {};
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
}

/** @throws TypeError for what cannot be sent: a stream, a function, a BigInt, an object that holds itself. */
function answer(reply: FastifyReply, result: unknown): FastifyReply {
  if (result === undefined) return reply.code(204).send();
  if (result instanceof Response) return answerWith(reply, result);
  if (typeof result === "string" || result instanceof Uint8Array) return reply.send(result);
  if (result instanceof Readable || result instanceof ReadableStream) {
    throw new TypeError("a handler returned a stream: return a Response with it as its body");
  }
  const text: string | undefined = JSON.stringify(result);
  if (text === undefined) throw new TypeError(`a handler returned a ${typeof result}`);
  return reply.type("application/json; charset=utf-8").send(text);
}

function answerWith(reply: FastifyReply, response: Response): FastifyReply {
  const headers = ownHeaders(reply, response.headers);
  const { status, body } = response;
  if (reply.request.method !== "HEAD") return reply.send(new Response(body, { status, headers }));
  // Fastify's HEAD drops a stream, and takes a Response for text whose bytes it could count.
  reply.code(status);
  for (const [name, value] of headers) reply.header(name, value);
  return reply.send(body ?? undefined);
}

/** Those of an answer that are the application's to set. */
function ownHeaders(reply: FastifyReply, all: Headers): Headers {
  const ofConnection = (all.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  const isForeign = (name: string): boolean =>
    HOP_BY_HOP.has(name) ||
    name.startsWith("proxy-") ||
    ofConnection.includes(name) ||
    (LIMIT_HEADERS.has(name) && reply.hasHeader(name));
  return new Headers([...all].filter(([name]) => !isForeign(name)));
}

/** A handler's faults are exceptions: nobody else can answer them. */
function realtimeFor(hub: Hub): RealtimeForHandlers {
  return {
    async publish(channel, eventName, message) {
      const parsed = unwrap(parseChannel(channel));
      const { publication } = unwrap(parseHandlerMessage(eventName, message));
      const position = await hub.publish(parsed.channel, publication, { owner: SERVER_OWNER });
      if (position === "conflict") throw new TypeError("an id that was made here was used before");
      return { id: publication.id, ...position };
    },
    async broadcast(eventName, message) {
      const { publication } = unwrap(parseHandlerMessage(eventName, message));
      await hub.broadcast(publication);
      return { id: publication.id };
    },
    async members(channel, page = {}) {
      const parsed = unwrap(parseChannel(channel));
      const limit = Math.min(page.limit ?? LIMITS.membersPageDefault, LIMITS.membersPageMax);
      const answer = await hub.members(parsed.channel, { limit, after: page.after });
      if (answer === "off") throw new TypeError("presence is turned off in this channel");
      return answer;
    },
  };
}

/** What a program hands over may hold what no client could have sent. @throws TypeError for what JSON cannot hold */
function parseHandlerMessage(eventName: string, message: unknown): ReturnType<typeof parsePublication> {
  const text: string | undefined = JSON.stringify(message);
  const plain: unknown = text === undefined ? null : JSON.parse(text);
  return parsePublication({ eventName, message: plain }, { from: null, now: Date.now() });
}

function unwrap<T extends object>(result: T | Refusal): T {
  if (isRefusal(result)) throw new TypeError(result.message);
  return result;
}

function isRefusal(value: object): value is Refusal {
  return "allowed" in value;
}
