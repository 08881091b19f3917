import type { FastifyInstance } from "fastify";
import type { Hub } from "../channels/index.ts";
import type { EndpointDeclaration } from "../config/config.ts";
import type { TurnBudget } from "../lib/turn-budget.ts";
import { type App, acceptJsonSuffix, createApp } from "../listener/app.ts";
import { registerHealth } from "../listener/health.ts";
import type { RealtimeHandlers } from "../listener/listener.ts";
import { refuseUnread } from "../listener/not-found.ts";
import { describeRoutes } from "../listener/openapi.ts";
import type { TcpConnections } from "../listener/tcp-connections.ts";
import type { Logger } from "../observe/log.ts";
import type { Readiness } from "../observe/readiness.ts";
import type { Traffic } from "../observe/traffic.ts";
import type { OverloadState } from "../overload/index.ts";
import { Access, type AccessOptions } from "./access.ts";
import { registerPage, registerSdk } from "./assets.ts";
import { type PublisherPace, registerChannelApi } from "./channel-api.ts";
import { registerCors } from "./cors.ts";
import { requestTimeoutMs } from "./endpoint-bodies.ts";
import { registerEndpoints } from "./endpoints.ts";

export { assetFolders } from "./assets.ts";
export { BodyBudget } from "./body-budget.ts";
export { createEndpointMatcher } from "./endpoint-matcher.ts";

export type PublicAppOptions = AccessOptions & {
  readonly log: Logger;
  /** Absent where realtime is turned off: then neither sockets nor the channel API exist. */
  readonly realtime: (RealtimeHandlers & PublisherPace) | undefined;
  readonly connections: TcpConnections;
  readonly hub: Hub;
  readonly traffic: Traffic;
  readonly overload: OverloadState;
  readonly turn: TurnBudget;
  readonly readiness: Readiness;
  readonly version: string;
  readonly endpointPrefix: string;
  readonly endpoints: readonly EndpointDeclaration[];
  /** Absent before the first build. */
  readonly sdkFolder: string | undefined;
  /** Only with `--dev`. */
  readonly pageFolder: string | undefined;
  /** Where the admin listener is reached. */
  readonly adminUrl: () => string;
};

/** The public listener: sockets, endpoints, the channel API and the SDK. */
export function createPublicApp(options: PublicAppOptions): App {
  const { log, realtime, connections, turn } = options;
  const app = createApp({ log, realtime, connections, turn, isCrossOrigin: true });
  acceptJsonSuffix(app);
  const bodies = options.endpoints.map(({ maxBodyBytes = 0 }) => maxBodyBytes);
  app.server.requestTimeout = requestTimeoutMs(Math.max(0, ...bodies));
  registerCors(app);
  refuseUnread(app);
  const access = new Access(app, options);
  app.register(async (scope) => {
    await describePublic(scope, options);
    registerHealth(scope, options.readiness);
    if (realtime !== undefined) registerChannelApi(scope, access, { ...options, realtime });
  });
  registerEndpoints(app, access, options);
  if (options.sdkFolder !== undefined) registerSdk(app, options.sdkFolder);
  if (options.pageFolder !== undefined) registerPage(app, options.pageFolder, options.adminUrl);
  return app;
}

/** Open to everybody, so the application's endpoints are no part of it: who has no key does not learn which exist. */
function describePublic(scope: FastifyInstance, options: PublicAppOptions): Promise<void> {
  const { version, apiKeyInQuery } = options;
  return describeRoutes(scope, {
    title: "Sluice",
    description: "Publishes to channels and looks at them over HTTP, with an API key.",
    version,
    servers: () => options.publicOrigins,
    security: {
      bearer: { type: "http", scheme: "bearer" },
      apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
      ...(apiKeyInQuery ? { query: { type: "apiKey", in: "query", name: "apikey" } } : {}),
    },
  });
}
