import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { faultOf, type Logger } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import { refuse } from "../protocol/index.ts";

/** Lets a request in, or answers it. */
export type RequestGuard = (
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<FastifyReply | undefined> | FastifyReply | undefined;

/** `/metrics` in the text form of Prometheus, for whom `guard` lets in. */
export function registerMetrics(
  scope: FastifyInstance,
  metrics: Metrics,
  log: Logger,
  guard: RequestGuard,
): void {
  scope.get(
    "/metrics",
    {
      schema: { hide: true },
      onRequest: async (request, reply) => guard(request, reply),
    },
    async (_request, reply) => {
      reply.header("cache-control", "no-store");
      try {
        return await reply.type(metrics.contentType).send(await metrics.text());
      } catch (error) {
        log.error({ fault: faultOf(error) }, "the metrics could not be written");
        return reply.refuse(refuse("internal_error"));
      }
    },
  );
}

/** Whether a request carries this token as its one `Authorization: Bearer`. Takes as long for any wrong token. */
export function bearsToken({ raw }: FastifyRequest, token: string): boolean {
  const lines = raw.rawHeaders.filter(
    (text, index) => index % 2 === 0 && text.toLowerCase() === "authorization",
  );
  const [, sent] = /^bearer (\S+)$/i.exec(raw.headers.authorization ?? "") ?? [];
  if (lines.length !== 1 || sent === undefined) return false;
  return timingSafeEqual(digestOf(sent), digestOf(token));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
