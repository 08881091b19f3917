import type { FastifyInstance } from "fastify";
import { InvalidCursorError, StoreUnavailableError, UnreadableRecordError } from "../keys/index.ts";
import { refuse } from "../protocol/index.ts";
import type { AdminToken } from "./admin-token.ts";
import { type ExplainOptions, registerExplainApi } from "./explain-api.ts";
import { registerKeysApi } from "./keys-api.ts";

export { AdminToken } from "./admin-token.ts";
export { type FirstStart, prepareFirstStart } from "./first-start.ts";

export type AdminOptions = ExplainOptions & { readonly token: AdminToken };

/** The management API on the admin listener: every call below `/admin/v1` needs the admin token. */
export function registerAdmin(app: FastifyInstance, options: AdminOptions): void {
  const { keys, token, endpoints } = options;
  app.get("/healthz", async () => ({ status: "ok" }));
  app.register(
    async (scope) => {
      const parseJson = scope.getDefaultJsonParser("ignore", "ignore");
      // Members such as __proto__ pass as text here: they are refused by their pointers, like any other fault.
      scope.removeContentTypeParser("application/json");
      scope.addContentTypeParser(
        ["application/json", "application/merge-patch+json"],
        { parseAs: "string" },
        (request, body: string, done) => {
          if (body === "") done(null, undefined);
          else void parseJson(request, body, done);
        },
      );
      scope.addHook("onRequest", async (request, reply) => {
        const refusal = token.check(request.headers.authorization);
        return refusal === undefined ? undefined : reply.refuse(refusal);
      });
      scope.setErrorHandler((error, _request, reply) => {
        if (error instanceof StoreUnavailableError) return reply.refuse(refuse("unavailable"));
        if (error instanceof InvalidCursorError)
          return reply.refuse(refuse("invalid_request", error.message));
        if (error instanceof UnreadableRecordError)
          return reply.refuse(refuse("internal_error", error.message));
        throw error;
      });
      scope.setNotFoundHandler((_request, reply) => reply.refuse(refuse("not_found")));
      registerKeysApi(scope, { keys, endpoints });
      registerExplainApi(scope, options);
      scope.get("/endpoints", async () => ({
        items: endpoints.map(({ id, method, path }) => ({ id, method, path })),
      }));
    },
    { prefix: "/admin/v1" },
  );
}
