import { performance } from "node:perf_hooks";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Hub, parseChannel, parsePublication, SERVER_OWNER } from "../channels/index.ts";
import type { EndpointContext, EndpointDeclaration, RealtimeForHandlers } from "../config/config.ts";
import type { Charge } from "../gate/index.ts";
import type { App } from "../listener/app.ts";
import { BodyError } from "../listener/body-error.ts";
import { answerNotFound } from "../listener/not-found.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import type { EndpointCalls, Traffic } from "../observe/traffic.ts";
import { KEYED_VARY, LIMITS, type Refusal, refuse } from "../protocol/index.ts";
import { type Access, markKeyed, queryOf } from "./access.ts";
import { answer } from "./endpoint-answer.ts";
import { acceptEndpointBodies, bodyLimits, typeBody } from "./endpoint-bodies.ts";
import { MultipartBody } from "./multipart-body.ts";

/** Where an API key may travel: an application's handler has no business with it. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(["authorization", "x-api-key"]);

/** Handlers see cookies, too. */
const ENDPOINT_VARY = `${KEYED_VARY}, Cookie`;

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
      acceptEndpointBodies(scope);
      for (const endpoint of endpoints) {
        scope.route({
          method: endpoint.method,
          url: endpoint.path,
          ...bodyLimits(endpoint.maxBodyBytes),
          ...routeOf(endpoint, { access, realtime, log, counts: traffic.endpoint(endpoint.id) }),
        });
      }
      // Whoever has no good key learns nothing about which paths exist.
      answerNotFound(scope, async (request, reply) => {
        markKeyed(reply);
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

type RouteParts = {
  readonly access: Access;
  readonly realtime: RealtimeForHandlers;
  readonly log: Logger;
  readonly counts: EndpointCalls;
};

/** A declared endpoint as a route of Fastify. Each step goes on at once unless it has to wait. */
function routeOf(declared: EndpointDeclaration, { access, realtime, log, counts }: RouteParts) {
  const { id, method, path } = declared;
  const wanted = { action: "endpoint", endpoint: { id, method, path } } as const;
  const onFault = (error: unknown): void => {
    log.error({ endpointId: id, fault: faultOf(error) }, "an endpoint's handler failed");
  };
  const answerOptions = { vary: ENDPOINT_VARY, onFault };
  const fail = (reply: FastifyReply, error: unknown): void => {
    if (error instanceof StoppingError) {
      reply.refuse(refuse("server_shutdown"));
      return;
    }
    if (error instanceof BodyError) {
      // What is left of it is not read.
      reply.header("connection", "close").refuse(error.refusal);
      return;
    }
    onFault(error);
    reply.refuse(refuse("internal_error"));
  };
  /** @throws what the handler throws, and for what cannot be sent */
  const call = (request: FastifyRequest, reply: FastifyReply): Promise<void> | undefined => {
    const key = request.caller?.identity.key;
    if (key?.policy === undefined) {
      reply.refuse(refuse("invalid_api_key"));
      return undefined;
    }
    counts.calls += 1;
    const isSameOrigin = access.isSameOrigin(request);
    const context = contextOf(
      request,
      { id: key.id, name: key.policy.settings.name },
      realtime,
      isSameOrigin,
    );
    const beganMs = performance.now();
    const end = (): void => counts.time.observe(performance.now() - beganMs);
    let result: unknown;
    try {
      result = declared.handler(context);
    } catch (error) {
      end();
      throw error;
    }
    if (!isThenable(result)) {
      end();
      return answer(reply, result, answerOptions);
    }
    return Promise.resolve(result)
      .finally(end)
      .then((settled) => answer(reply, settled, answerOptions));
  };
  const redeem = (
    request: FastifyRequest,
    reply: FastifyReply,
    charge: Charge,
  ): Promise<void> | undefined => {
    if (charge.allowed) return call(request, reply);
    reply.refuse(charge);
    return undefined;
  };
  return {
    onRequest(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
      access.authenticate(request, reply, (error) => {
        // A call without a body is decided in this turn by its handler; one that has a body is not read in vain.
        const isBody = error === undefined && hasBody(request);
        const verdict = isBody ? access.precheck(request, wanted) : undefined;
        if (isBody && !isEmpty(request)) typeBody(request);
        if (verdict === undefined || verdict.allowed) done(error);
        else reply.refuse(verdict);
      });
    },
    handler(request: FastifyRequest, reply: FastifyReply): void {
      try {
        const { body } = request;
        if (body instanceof MultipartBody) reply.raw.once("close", () => body.end());
        reply.header("vary", ENDPOINT_VARY);
        // The body may have taken its time: the key is decided as it is now, and its limits count a call whose body is good.
        const charge = access.charge(request, reply, wanted);
        const pending =
          charge instanceof Promise
            ? charge.then((found) => redeem(request, reply, found))
            : redeem(request, reply, charge);
        pending?.catch((error: unknown) => fail(reply, error));
      } catch (error) {
        fail(reply, error);
      }
    },
  };
}

function hasBody({ raw: { headers } }: FastifyRequest): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

/** Browsers say `Content-Length: 0` of a POST without a body: that is no body, as the handler sees it. */
function isEmpty({ raw: { headers } }: FastifyRequest): boolean {
  return headers["content-length"] === "0";
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function contextOf(
  request: FastifyRequest,
  key: { id: string; name: string },
  realtime: RealtimeForHandlers,
  isSameOrigin: boolean,
): EndpointContext {
  const query = queryOf(request);
  if (query.size > 0) query.delete("apikey");
  return {
    method: request.method,
    params: paramsOf(request.params),
    query,
    body: request.body,
    headers: headersOf(request, isSameOrigin),
    key,
    realtime,
  };
}

/** Without the API key, and with the cookies of a page of the server itself alone. */
function headersOf({ raw }: FastifyRequest, isSameOrigin: boolean): EndpointContext["headers"] {
  const headers: Record<string, string | string[]> = {};
  for (const name in raw.headers) {
    if (CREDENTIAL_HEADERS.has(name)) continue;
    const value = name === "cookie" && isSameOrigin ? cookiesOf(raw.headers.cookie) : raw.headers[name];
    if (value === undefined || value === "" || (name === "cookie" && !isSameOrigin)) continue;
    headers[name] = value;
  }
  return headers;
}

/** A browser sends the console's cookie to every port of its host. */
function cookiesOf(cookie: string | undefined): string | undefined {
  return cookie
    ?.split(/; */)
    .filter((pair) => !pair.startsWith("sluice_"))
    .join("; ");
}

function paramsOf(params: unknown): Record<string, string> {
  if (typeof params !== "object" || params === null) return {};
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) texts[name] = String(value);
  return texts;
}

/** What a handler publishes while the server stops would reach nobody. Where it lets this through, its call is answered as to be repeated. */
class StoppingError extends Error {
  override readonly name = "StoppingError";

  constructor() {
    super("the server is stopping");
  }
}

/** A handler's faults are exceptions: nobody else can answer them. */
function realtimeFor(hub: Hub): RealtimeForHandlers {
  return {
    async publish(channel, eventName, message) {
      const parsed = unwrap(parseChannel(channel));
      const { publication } = unwrap(parseHandlerMessage(eventName, message));
      const position = await hub.publish(parsed.channel, publication, { owner: SERVER_OWNER });
      if (position === "stopping") throw new StoppingError();
      if (position === "conflict") throw new TypeError("an id that was made here was used before");
      return { id: publication.id, ...position };
    },
    async broadcast(eventName, message) {
      const { publication } = unwrap(parseHandlerMessage(eventName, message));
      if ((await hub.broadcast(publication, "everyone")) === "stopping") throw new StoppingError();
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
