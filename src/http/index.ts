import cors from "@fastify/cors";
import type { Hub } from "../channels/index.ts";
import type { EndpointDeclaration } from "../config.ts";
import type { Logger } from "../observe/log.ts";
import type { Traffic } from "../observe/traffic.ts";
import { Access, type AccessOptions } from "./access.ts";
import { type App, createApp } from "./app.ts";
import { registerPage, registerSdk } from "./assets.ts";
import { registerChannelApi } from "./channel-api.ts";
import { registerEndpoints } from "./endpoints.ts";
import type { RealtimeHandlers } from "./listener.ts";

export { type App, createApp, type InputFault } from "./app.ts";
export { assetFolders } from "./assets.ts";
export { createEndpointMatcher } from "./endpoint-matcher.ts";
export { destroySockets } from "./listener.ts";

export type PublicAppOptions = AccessOptions & {
  readonly log: Logger;
  /** Absent where realtime is turned off: then neither sockets nor the channel API exist. */
  readonly realtime: RealtimeHandlers | undefined;
  readonly hub: Hub;
  readonly traffic: Traffic;
  readonly endpointPrefix: string;
  readonly endpoints: readonly EndpointDeclaration[];
  /** Absent before the first build. */
  readonly sdkFolder: string | undefined;
  /** Only with `--dev`. */
  readonly pageFolder: string | undefined;
};

/** The public listener: sockets, endpoints, the channel API and the SDK. */
export function createPublicApp(options: PublicAppOptions): App {
  const app = createApp({ log: options.log, realtime: options.realtime });
  const access = new Access(options);
  // Any origin may ask: the key decides, and no cookie means anything here. Agnost's SDK asks with credentials.
  app.register(cors, {
    origin: true,
    credentials: true,
    strictPreflight: false,
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    exposedHeaders: ["Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate"],
    maxAge: 600,
  });
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async () => ({ status: "ready" }));
  if (options.realtime !== undefined) registerChannelApi(app, access, options.hub, options.log);
  registerEndpoints(app, access, options);
  if (options.sdkFolder !== undefined) registerSdk(app, options.sdkFolder);
  if (options.pageFolder !== undefined) registerPage(app, options.pageFolder);
  return app;
}
