import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import {
  InvalidCursorError,
  StoreUnavailableError,
  UnreadableRecordError,
  UnstoredChangeError,
} from "../keys/index.ts";
import { parseJsonInSlices } from "../lib/sliced-json.ts";
import { bearsToken, describeRoutes, registerHealth, registerMetrics } from "../listener/index.ts";
import type { Audit } from "../observe/audit.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Readiness } from "../observe/readiness.ts";
import { codingRefusal, refuse } from "../protocol/index.ts";
import { AdminAccess, type AdminAccessOptions, refusalOf } from "./admin-access.ts";
import type { AdminToken } from "./admin-token.ts";
import { registerAuditApi, registerTokenApi } from "./audit-api.ts";
import { registerBackupApi } from "./backup-api.ts";
import { type ChannelsApiOptions, registerChannelsApi } from "./channels-api.ts";
import { type ConnectionsApiOptions, registerConnectionsApi } from "./connections-api.ts";
import { registerConsole } from "./console-files.ts";
import { type ExplainOptions, registerExplainApi } from "./explain-api.ts";
import { registerKeysApi } from "./keys-api.ts";
import { createHostCheck, type KnownHosts } from "./known-hosts.ts";
import { registerLifecycleApi } from "./lifecycle-api.ts";
import { type LiveApiOptions, registerLiveApi } from "./live-api.ts";
import { type AdminScope, strictValidator } from "./scope.ts";
import { registerStatusApi, type StatusApiOptions } from "./status-api.ts";

export { resetAdminToken } from "./admin-token.ts";
export { type FirstStart, type PreparedStart, prepareFirstStart } from "./first-start.ts";
export { warnOfStaleEntries } from "./stale-entries.ts";

export type AdminOptions = ExplainOptions &
  Omit<StatusApiOptions & ConnectionsApiOptions & ChannelsApiOptions & LiveParts, "access"> & {
    readonly token: AdminToken;
    readonly audit: Audit;
    readonly config: KnownHosts;
    readonly prove: AdminAccessOptions["prove"];
    readonly readiness: Readiness;
    readonly metrics: Metrics;
    /** Origins of the console, known once the listener's port is. */
    readonly origins: () => readonly string[];
    /** Where the build puts the console. */
    readonly consoleFolder: string;
  };

const IN_FORCE =
  "this is in force on this server, but the store did not take it: it is tried again until it is stored, and a restart before that loses it";

/** What orchestrators ask, under whatever name. */
const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

type LiveParts = Omit<LiveApiOptions, "version" | "startedAt">;

/** The management API on the admin listener: every call below `/admin/v1` needs the admin token or a session. */
export function registerAdmin(app: FastifyInstance, options: AdminOptions): void {
  const access = new AdminAccess(options);
  guardHost(app, options);
  registerHealth(app, options.readiness);
  const { metricsToken } = options.config;
  registerMetrics(app, options.metrics, options.log, (request, reply) => {
    const isCollector = metricsToken !== undefined && bearsToken(request, metricsToken);
    return isCollector ? undefined : access.require(request, reply);
  });
  registerConsole(app, options.consoleFolder);
  app.register(
    async (scope) => {
      // Members such as __proto__ pass as text here: they are refused by their pointers, like any other fault.
      scope.removeContentTypeParser("application/json");
      scope.addContentTypeParser(
        ["application/json", "application/merge-patch+json"],
        { parseAs: "string" },
        (_request, body: string, done) => {
          if (body === "") done(null, undefined);
          else
            parseJsonInSlices(body).then(
              (value) => done(null, value),
              (error: unknown) => done(notJson(error)),
            );
        },
      );
      scope.setErrorHandler((error, _request, reply) => {
        if (error instanceof UnstoredChangeError)
          return reply.refuse(refuse("unavailable", IN_FORCE), undefined, { enforced: true, stored: false });
        if (error instanceof StoreUnavailableError) return reply.refuse(refuse("unavailable"));
        if (error instanceof InvalidCursorError)
          return reply.refuse(refuse("invalid_request", error.message));
        if (error instanceof UnreadableRecordError)
          return reply.refuse(refuse("internal_error", error.message));
        throw error;
      });
      scope.setValidatorCompiler(strictValidator);
      // The schemas of answers document them; what is answered is not cut down to them.
      scope.setSerializerCompiler(() => JSON.stringify);
      await describeAdmin(scope, options, access);
      access.registerSession(scope);
      await scope.register(async (plain) => {
        const guarded: AdminScope = plain.withTypeProvider<TypeBoxTypeProvider>();
        guarded.addHook("onRequest", access.require);
        guarded.addHook("onRequest", async (request, reply) => {
          const refusal = codingRefusal(request.headers["content-encoding"]);
          return refusal && reply.header("accept-encoding", "identity").refuse(refusal);
        });
        registerStatusApi(guarded, options);
        registerConnectionsApi(guarded, { ...options, access });
        const { version, startedAt } = options.server;
        registerLiveApi(guarded, { ...options, access, version, startedAt });
        await guarded.register(async (inner) =>
          registerChannelsApi(inner.withTypeProvider<TypeBoxTypeProvider>(), { ...options, access }),
        );
        registerKeysApi(guarded, { ...options, access });
        registerLifecycleApi(guarded, { ...options, access });
        registerBackupApi(guarded, { ...options, access });
        registerExplainApi(guarded, options);
        registerAuditApi(guarded, options);
        registerTokenApi(guarded, { ...options, access });
        // Whoever has no token learns nothing about which paths exist.
        guarded.all("/*", async (_request, reply) => reply.refuse(refuse("not_found")));
      });
    },
    { prefix: "/admin/v1" },
  );
}

/** What the parser says quotes the text: only that it is no JSON goes out, as for every fault of a client's. */
function notJson(cause: unknown): Error {
  return Object.assign(new SyntaxError("the body is no JSON", { cause }), { statusCode: 400 });
}

/** Nothing is answered under a name that is not this listener's, but for whoever asks whether it lives. */
function guardHost(app: FastifyInstance, { config, audit }: AdminOptions): void {
  const isKnown = createHostCheck(config);
  app.addHook("onRequest", async (request, reply) => {
    const { host } = request.headers;
    if (isKnown(host) || PROBES.has(request.routeOptions.url ?? "")) return undefined;
    const refusal = refuse("unknown_host");
    audit.refusedAdmin({ ...refusalOf(request, refusal), host });
    return reply.refuse(refusal);
  });
  // Before its body is read, for which Fastify asks nobody. What has a scope and a say of its own asks for the token first.
  app.addHook("onRequest", async (request, reply) =>
    request.is404 ? reply.refuse(refuse("not_found")) : undefined,
  );
}

/** Who may not call the API does not get its description either. */
function describeAdmin(scope: FastifyInstance, options: AdminOptions, access: AdminAccess): Promise<void> {
  const { version } = options.server;
  const { adminOrigin } = options.config;
  return describeRoutes(scope, {
    title: "Sluice admin API",
    description: "Manages API keys and shows what happens on a node.",
    version,
    servers: () => (adminOrigin === undefined ? options.origins().slice(0, 1) : [adminOrigin]),
    security: {
      adminToken: { type: "http", scheme: "bearer" },
      session: { type: "apiKey", in: "cookie", name: "sluice_session" },
    },
    onRequest: access.require,
  });
}
