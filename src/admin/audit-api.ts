import type { FastifyInstance } from "fastify";
import type { Audit } from "../observe/audit.ts";
import { refuse } from "../protocol/index.ts";
import type { AdminAccess } from "./admin-access.ts";
import type { AdminToken } from "./admin-token.ts";
import { ACCESS_ROUTES, AuditPage, AuditQuery, ChainCheck, ChainQuery } from "./schemas/access.ts";
import { PAGE_DEFAULT, REFUSALS } from "./schemas/common.ts";
import { type AdminScope, documented } from "./scope.ts";

export type AuditApiOptions = {
  readonly token: AdminToken;
  readonly audit: Audit;
  readonly access: AdminAccess;
};

/** `/audit`: who did what, what was refused, and whether anything of it was changed since. */
export function registerAuditApi(scope: AdminScope, { audit }: Pick<AuditApiOptions, "audit">): void {
  scope.get(
    "/audit",
    {
      schema: {
        tags: ["Access"],
        summary: "Who changed what, or samples of refusals, newest first",
        querystring: AuditQuery,
        response: { 200: AuditPage, ...REFUSALS },
      },
    },
    async (request) => {
      const { limit = PAGE_DEFAULT, before, keyId, action, kind } = request.query;
      return audit.page(limit, before, {
        kind: kind ?? (action === "denied" ? "refusals" : "deeds"),
        keyId,
        action,
      });
    },
  );

  scope.get(
    "/audit/verify",
    {
      schema: {
        tags: ["Access"],
        summary: "Whether every entry of what was done is chained to the one before",
        querystring: ChainQuery,
        response: { 200: ChainCheck, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { sequence, digest } = request.query;
      if (sequence === undefined && digest === undefined) return audit.verify();
      if (sequence !== undefined && digest !== undefined) return audit.verify({ sequence, digest });
      return reply.refuse(refuse("invalid_request", "send sequence and digest, both, or neither"));
    },
  );
}

/** `/token/rotate`: another admin token. */
export function registerTokenApi(scope: FastifyInstance, { token, audit, access }: AuditApiOptions): void {
  scope.post("/token/rotate", documented(ACCESS_ROUTES.rotateToken), async (request, reply) => {
    const made = await token.rotate();
    if (made === undefined) {
      return reply.refuse(refuse("unsupported", "the configuration sets the admin token: change it there"));
    }
    await audit.record({ action: "admin-token.rotated", actor: access.actorOf(request) });
    return reply.header("cache-control", "no-store").send({ token: made });
  });
}
