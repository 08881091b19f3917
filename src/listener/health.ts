import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { Readiness } from "../observe/readiness.ts";

/**
 * `/healthz`, which asks nobody, and `/readyz`. Anybody may ask, so the answer is a word; why not is on the admin listener
 * (`/admin/v1/ready`).
 */
export function registerHealth(scope: FastifyInstance, readiness: Readiness): void {
  const tags = ["Health"];
  const status = (word: string) => Type.Object({ status: Type.Literal(word) });
  const alive = {
    tags,
    summary: "Whether the process answers",
    security: [],
    response: { 200: status("ok") },
  };
  scope.get("/healthz", { schema: alive }, async () => ({ status: "ok" }));
  const ready = {
    tags,
    summary: "Whether new clients should be sent here",
    security: [],
    response: { 200: status("ready"), 503: status("not ready") },
  };
  scope.get("/readyz", { schema: ready }, async (_request, reply) => {
    const isReady = await readiness.isReady();
    reply.header("cache-control", "no-store");
    return isReady ? { status: "ready" } : reply.code(503).send({ status: "not ready" });
  });
}
