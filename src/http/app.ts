import { STATUS_CODES } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import { type FastifyError, type FastifyReply, type FastifyRequest, fastify } from "fastify";
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
import { createListener, type RealtimeHandlers } from "./listener.ts";

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

export type AppOptions = { readonly log: Logger; readonly realtime?: RealtimeHandlers | undefined };

/** A Fastify app as both listeners use it: guarded targets, strict validation, problem details. */
export type App = ReturnType<typeof createApp>;

/** A fault of the input, by its JSON pointer. */
export type InputFault = { readonly pointer: string; readonly message: string };

export function createApp({ log, realtime }: AppOptions) {
  const app = fastify({
    serverFactory: (handler) => createListener(handler, realtime),
    bodyLimit: LIMITS.maxPayloadBytes,
    logger: false,
    routerOptions: { maxParamLength: 2_000, caseSensitive: true, ignoreTrailingSlash: false },
    frameworkErrors: (error, request, reply) => void sendError(log, error, request, reply),
    clientErrorHandler: (error, socket) => {
      const status = clientErrorStatus(error.code);
      if (socket.writable) {
        socket.end(
          `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
        );
      }
      socket.destroySoon();
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.decorateReply("refuse", sendRefusal);
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(log, error, request, reply));
  app.setNotFoundHandler((_request, reply) => reply.refuse(refuse("not_found")));
  app.addHook("onSend", async (_request, reply) => {
    reply.header("x-content-type-options", "nosniff");
  });
  return app;
}

function sendRefusal(
  this: FastifyReply,
  refusal: Refusal,
  faults?: readonly InputFault[],
  more: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const problem = { ...problemOf(refusal), ...more };
  return this.code(refusal.status)
    .headers(refusalHeaders(refusal))
    .type(PROBLEM_MEDIA_TYPE)
    .serializer(JSON.stringify)
    .send(faults === undefined ? problem : { ...problem, faults });
}

function sendError(
  log: Logger,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (error.validation !== undefined) {
    const faults = error.validation.map(({ instancePath, message }) => ({
      pointer: instancePath,
      message: message ?? "not valid",
    }));
    return reply.refuse(refuse("invalid_request", `the ${error.validationContext} has faults`), faults);
  }
  const code = codeOf(error);
  if (code !== undefined) return reply.refuse(refuse(code));
  // The route's pattern, never the URL: a key may be in it.
  log.error({ route: request.routeOptions?.url, fault: faultOf(error) }, "a request failed");
  return reply.refuse(refuse("internal_error"));
}

/** Fastify's own refusals; whatever an application throws with a status of its own is a fault. */
function codeOf({ code, statusCode }: FastifyError): ErrorCode | undefined {
  if (!code?.startsWith("FST_") && !(statusCode === 400 && code === undefined)) return undefined;
  if (statusCode === 413) return "payload_too_large";
  if (statusCode === 415) return "unsupported_media_type";
  if (statusCode === 404) return "not_found";
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? "invalid_request" : undefined;
}

function clientErrorStatus(code: string | undefined): 400 | 408 | 431 {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  return code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
}
