import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from "fastify";
import { placedMessages } from "../lib/schema-errors.ts";
import { TurnBudget } from "../lib/turn-budget.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import {
  type ErrorCode,
  LIMITS,
  PROBLEM_MEDIA_TYPE,
  problemOf,
  type Refusal,
  refusalHeaders,
  refuse,
} from "../protocol/index.ts";
import { BodyError } from "./body-error.ts";
import { createListener, type RealtimeHandlers } from "./listener.ts";
import { explainMissingOrigin } from "./missing-origin.ts";
import { answerNotFound } from "./not-found.ts";
import type { TcpConnections } from "./tcp-connections.ts";

declare module "fastify" {
  interface FastifyReply {
    /** Answer with a refusal as problem details; `faults` name what is wrong in the input. */
    refuse(
      refusal: Refusal,
      faults?: readonly InputFault[],
      more?: Readonly<Record<string, unknown>>,
    ): FastifyReply;
  }
}

export type AppOptions = {
  readonly log: Logger;
  readonly realtime?: RealtimeHandlers | undefined;
  /** Its TCP connections and their limits. */
  readonly connections: TcpConnections;
  /** What pipelined requests take their time of each turn from; absent: one of its own. */
  readonly turn?: TurnBudget;
  /** Whether pages of any origin may read what is refused before routing. */
  readonly isCrossOrigin?: boolean;
};

/** A Fastify app as both listeners use it: guarded targets, strict validation, problem details. */
export type App = ReturnType<typeof createApp>;

/** A fault of the input, by its JSON pointer. */
export type InputFault = { readonly pointer: string; readonly message: string };

export function createApp({
  log,
  realtime,
  connections,
  turn = new TurnBudget(),
  isCrossOrigin = false,
}: AppOptions) {
  const app = fastify({
    serverFactory: (handler) => createListener(handler, { realtime, connections, turn, isCrossOrigin }),
    bodyLimit: LIMITS.maxPayloadBytes,
    logger: false,
    return503OnClosing: false,
    // Longer than any request line that Node takes, so that no segment is too long for a route.
    routerOptions: { maxParamLength: 65_536, caseSensitive: true, ignoreTrailingSlash: false },
    // Called with a reply that has no decorators.
    frameworkErrors: (error, request, reply) => {
      sendError(log, error, request, reply);
    },
    // The listener answers them.
    clientErrorHandler: () => {},
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.decorateReply("refuse", function (this: FastifyReply, refusal, faults, more) {
    return sendRefusal(this, explainMissingOrigin(refusal, this.request.headers), faults, more);
  });
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.setErrorHandler((error: unknown, request, reply) => sendError(log, error, request, reply));
  answerNotFound(app, (_request, reply) => reply.refuse(refuse("not_found")));
  acceptEmptyJson(app);
  let isClosing = false;
  app.addHook("preClose", async () => {
    isClosing = true;
  });
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-content-type-options", "nosniff");
    // The process answers until its end.
    if (isClosing && request.routeOptions.url !== "/healthz")
      reply.header("connection", "close").refuse(refuse("server_shutdown"));
    else done();
  });
  return app;
}

/** Media types that say that they are JSON (RFC 6839, 3.1). */
const JSON_SUFFIX = /^application\/[\w!#$&^.+-]+\+json(?:;|$)/;

/** Many clients name JSON in a DELETE that has no body: that is no body, not a broken one. */
function acceptEmptyJson(app: FastifyInstance): void {
  app.removeContentTypeParser("application/json");
  addJsonParser(app, "application/json");
}

/** Takes `application/vnd.api+json`, `application/ld+json`, `application/cloudevents+json` and their like as JSON. */
export function acceptJsonSuffix(app: FastifyInstance): void {
  addJsonParser(app, JSON_SUFFIX);
}

function addJsonParser(app: FastifyInstance, mediaType: string | RegExp): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser(mediaType, { parseAs: "string" }, (request, body: string, done) => {
    if (body === "") done(null, undefined);
    else void parse(request, body, done);
  });
}

function sendRefusal(
  reply: FastifyReply,
  refusal: Refusal,
  faults?: readonly InputFault[],
  more: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const problem = { ...problemOf(refusal), ...more };
  return reply
    .code(refusal.status)
    .headers(refusalHeaders(refusal))
    .header("x-content-type-options", "nosniff")
    .type(PROBLEM_MEDIA_TYPE)
    .serializer(JSON.stringify)
    .send(faults === undefined ? problem : { ...problem, faults });
}

/** The faults of Fastify and its plugins. What an application's handler throws never comes here. */
function sendError(log: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof BodyError) return sendRefusal(reply, error.refusal);
  if (isFastifyError(error)) {
    if (error.validation !== undefined) {
      const faults = placedMessages(error.validation);
      return sendRefusal(
        reply,
        refuse("invalid_request", `the ${error.validationContext} has faults`),
        faults,
      );
    }
    const code = codeOf(error.statusCode);
    const isEndpoint = request.routeOptions?.config?.maxBodyBytes !== undefined;
    if (code === "unsupported_media_type" && isEndpoint)
      return sendRefusal(reply, refuse(code, "send JSON, plain text, a form, or octets"));
    if (code !== undefined) return sendRefusal(reply, refuse(code));
  }
  // The route's pattern, never the URL: a key may be in it.
  log.error({ route: request.routeOptions?.url, fault: faultOf(error) }, "a request failed");
  return sendRefusal(reply, refuse("internal_error"));
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && "statusCode" in error;
}

function codeOf(statusCode: number | undefined): ErrorCode | undefined {
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return undefined;
  if (statusCode === 413) return "payload_too_large";
  if (statusCode === 415) return "unsupported_media_type";
  return statusCode === 403 || statusCode === 404 ? "not_found" : "invalid_request";
}
