import type { FastifyInstance } from "fastify";
import type { Audit } from "../observe/audit.ts";
import { refuse } from "../protocol/index.ts";
import type { AdminAccess } from "./admin-access.ts";
import type { AdminToken } from "./admin-token.ts";
import { ACCESS_ROUTES, AuditPage, AuditQuery } from "./schemas/access.ts";
import { PAGE_DEFAULT, REFUSALS } from "./schemas/common.ts";
import { type AdminScope, documented } from "./scope.ts";

export type AuditApiOptions = {
  readonly token: AdminToken;
  readonly audit: Audit;
  readonly access: AdminAccess;
};

/** `/audit`: who did what. */
export function registerAuditApi(scope: AdminScope, { audit }: Pick<AuditApiOptions, "audit">): void {
  const summary = "Who changed what, and samples of refusals, newest first";
  const response = { 200: AuditPage, ...REFUSALS };
  scope.get(
    "/audit",
    { schema: { tags: ["Access"], summary, querystring: AuditQuery, response } },
    async (request) => {
      const { limit = PAGE_DEFAULT, before, keyId, action } = request.query;
      return audit.page(limit, before, { keyId, action });
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
