import type { FastifyInstance } from "fastify";
import { crossOriginHeaders, preflightHeaders } from "../listener/cross-origin.ts";

/**
 * Lets pages of any origin ask and read. OPTIONS is answered here for every path, without a key, and runs nothing; Safari
 * waits for a body that has no length, also with 204.
 */
export function registerCors(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { method, headers } = request.raw;
    if (method === "OPTIONS") {
      reply.code(204).headers(preflightHeaders(headers)).header("content-length", "0").send();
    } else {
      reply.headers(crossOriginHeaders(headers));
      done();
    }
  });
}
