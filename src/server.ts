import { existsSync } from "node:fs";
import { isIPv6 } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FirstStart, prepareFirstStart, registerAdmin, warnOfStaleEntries } from "./admin/index.ts";
import { type Broker, MemoryBroker } from "./channels/index.ts";
import { checked } from "./config/checked-setting.ts";
import { type Config, localOrigins, sourceOf } from "./config/config.ts";
import { settingsInEffect } from "./config/settings-in-effect.ts";
import { createGate } from "./gate/index.ts";
import { assetFolders, BodyBudget, createEndpointMatcher, createPublicApp } from "./http/index.ts";
import { openKeyStorage, openKeyStore, unstoredLog } from "./keys/index.ts";
import { TurnBudget } from "./lib/turn-budget.ts";
import {
  type App,
  createAddressOf,
  createApp,
  destroySockets,
  listenOn,
  openSocketCount,
  tcpConnections,
} from "./listener/index.ts";
import { addChecks, budgetsOf, createMetrics, listenForCollectors } from "./node-report.ts";
import { Audit } from "./observe/audit.ts";
import { createLogger, faultOf, type Logger } from "./observe/log.ts";
import { Readiness } from "./observe/readiness.ts";
import { RecentDenials } from "./observe/recent-denials.ts";
import { Traffic } from "./observe/traffic.ts";
import { TrafficSamples } from "./observe/traffic-samples.ts";
import { DEFAULT_THRESHOLDS, OverloadGuard } from "./overload/index.ts";
import { Realtime } from "./realtime/index.ts";
import { packageVersion } from "./version.ts";

export type ServerOptions = {
  /** Serve the page at `/` and make a development key. */
  readonly dev?: boolean;
  readonly log?: Logger;
  /** Instead of the one that the build wrote. */
  readonly consoleFolder?: string;
  /** Instead of one in this process's memory. Closed with the server. */
  readonly broker?: Broker;
  /**
   * Shows what the first start made. It counts as made once the promise resolves; when it rejects, the start fails, and the next
   * one makes it anew. Without this, what `start()` gives counts as shown.
   */
  readonly announce?: (started: Started) => Promise<void>;
  /** Told what of it is in force, where another process on the store may have made its own secrets meanwhile. */
  readonly onShown?: (inForce: Started, isAll: boolean) => Promise<void>;
};

/** Where a started server listens, and what its start made. */
export type Started = {
  readonly url: string;
  readonly adminUrl: string;
  /** Where the metrics are, if they have a listener of their own. */
  readonly metricsUrl?: string;
  readonly firstStart: FirstStart;
};

export type SluiceServer = {
  /** Open the store and listen on both ports. @throws when a port is taken or the store cannot be opened. */
  start(): Promise<Started>;
  /** Tell the clients, close everything, leave nothing behind. May be called at any time, more than once. */
  close(): Promise<void>;
};

/** How long requests under way may take once the server closes. */
const CLOSE_GRACE_MS = 2_500;

/** Build a server from its configuration; nothing is opened before `start()`. */
export function createServer(config: Config, options: ServerOptions = {}): SluiceServer {
  const log = options.log ?? createLogger(config.logLevel);
  let running: Promise<Running> | undefined;
  let closed: Promise<void> | undefined;
  return {
    async start() {
      if (running !== undefined) throw new Error("this server was started before");
      running = run(config, options, log);
      return (await running).started;
    },
    close() {
      closed ??= (async () => {
        const server = await running?.catch(() => undefined);
        await server?.close();
      })();
      return closed;
    },
  };
}

type Running = { readonly started: Started; close(): Promise<void> };

async function run(config: Config, options: ServerOptions, log: Logger): Promise<Running> {
  const dev = options.dev === true;
  const version = packageVersion();
  const startedAt = new Date().toISOString();
  // Closed in the reverse of the order in which they were opened, whatever the start got to: first the listeners,
  // both at once, then what they use.
  const listeners: App[] = [];
  const open: (() => Promise<void> | void)[] = [];
  const readiness = new Readiness();
  const close = async (): Promise<void> => {
    readiness.beginClosing();
    const ends = await Promise.allSettled(listeners.splice(0).map(closeApp));
    for (const end of open.reverse().splice(0)) {
      ends.push(...(await Promise.allSettled([Promise.resolve().then(end)])));
    }
    const failed = ends.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  };
  try {
    const matchEndpoint = checked("endpoints", () => createEndpointMatcher(config.endpoints));
    const addressOf = checked("trustedProxies", () => createAddressOf(config, log));
    const keys = await openKeyStore(await openKeyStorage(config.store), {
      onListenerError: (error) => log.error({ fault: faultOf(error) }, "enforcing a key's change failed"),
      onUnstored: unstoredLog(log),
      auditDays: config.auditDays,
    });
    open.push(() => keys.close());
    const { token, firstStart, noteShown } = await prepareFirstStart(keys, {
      adminToken: config.adminToken,
      dev,
    });

    const audit = new Audit(keys, log);
    open.push(() => audit.close());
    const traffic = new Traffic();
    const denials = new RecentDenials();
    const gate = createGate(config, { keys, audit, traffic, denials, log });
    open.push(() => gate.close());
    const overload = new OverloadGuard({
      thresholds: config.overload === false ? DEFAULT_THRESHOLDS : config.overload,
      isEnabled: config.overload !== false,
      ledger: gate.ledger,
      openSockets: () => listeners.reduce((sum, { server }) => sum + openSocketCount(server), 0),
      log,
    });
    open.push(() => overload.close());
    const broker = options.broker ?? new MemoryBroker(config);
    open.push(() => broker.close());

    // Known only once the port is, where the port is left to the system.
    let { publicOrigins } = config;
    const tcp = tcpConnections(config, log);
    const turn = new TurnBudget();
    const bodies = new BodyBudget(config.maxWaitingBytes);
    const doors = {
      ...config,
      gate,
      log,
      broker,
      addressOf,
      traffic,
      overload,
      turn,
      prove: tcp.public.prove,
      bounds: config,
    };
    const realtime = new Realtime(doors);
    gate.watch(realtime.registry);
    overload.watch(realtime.registry);
    const { hub } = realtime;
    const parts = {
      keys,
      overload,
      traffic,
      hub,
      budgets: budgetsOf(config, { tcp, hub, realtime, broker, bodies }),
      tcp,
      version,
      log,
    };
    const metrics = createMetrics(parts);
    addChecks(readiness, parts);
    const { sdk, page } = assetFolders(distFolder());
    const app = createPublicApp({
      gate,
      log,
      addressOf,
      bodies,
      apiKeyInQuery: config.apiKeyInQuery,
      get publicOrigins() {
        return publicOrigins;
      },
      ...tcp.public,
      realtime: config.realtime ? realtime : undefined,
      hub: realtime.hub,
      traffic,
      overload,
      turn,
      readiness,
      version,
      endpointPrefix: config.endpointPrefix,
      endpoints: config.endpoints,
      sdkFolder: existsSync(sdk) ? sdk : undefined,
      pageFolder: dev && existsSync(page) ? page : undefined,
      // Asked of the page only once both listen.
      adminUrl: () => adminUrl,
    });
    // Fastify waits for its connections, and Socket.IO's end only when Socket.IO does.
    app.addHook("preClose", () => realtime.close());
    listeners.push(app);
    const url = await listenOn(app, "public", config);
    if (sourceOf(config, "publicOrigins") === "default")
      publicOrigins = localOrigins(Number(new URL(url).port));

    const samples = new TrafficSamples(traffic, () => ({
      connections: realtime.hub.connectionCount,
      channels: realtime.hub.channelCount,
      memberships: realtime.hub.membershipCount,
      rssBytes: overload.memory.residentBytes,
      overloadStage: overload.stage,
      overloadCauses: overload.causes.map(({ resource }) => resource),
    }));
    open.push(() => samples.close());
    const admin = createApp({ log, connections: tcp.admin.connections, turn });
    let adminPort = config.adminPort;
    let adminUrl = "";
    const { adminHost, adminOrigin } = config;
    registerAdmin(admin, {
      prove: tcp.admin.prove,
      gate,
      keys,
      token,
      audit,
      origins: () => {
        // No URL has the zone of an address (fe80::1%eth0).
        const [host = ""] = adminHost.split("%");
        const names = ["localhost", "127.0.0.1", "[::1]", isIPv6(host) ? `[${host}]` : host];
        // As a browser writes them: in lower case, without the default port.
        const own = names.map((name) => new URL(`http://${name}:${adminPort}`).origin);
        return adminOrigin === undefined ? own : [...own, adminOrigin];
      },
      config,
      endpoints: config.endpoints,
      matchEndpoint,
      traffic,
      samples,
      denials,
      server: { version, startedAt, dev, publicUrl: url, publicOrigins },
      settings: () => settingsInEffect(config, publicOrigins),
      hub: realtime.hub,
      overload,
      readiness,
      metrics,
      connections: realtime.registry,
      log,
      consoleFolder: options.consoleFolder ?? join(distFolder(), "console"),
    });
    listeners.push(admin);
    adminUrl = await listenOn(admin, "admin", { host: config.adminHost, port: config.adminPort });
    adminPort = Number(new URL(adminUrl).port);
    const metricsUrl = await listenForCollectors(
      config,
      { readiness, metrics, connections: tcp.metrics, log },
      listeners,
    );
    let isClosing = false;
    const compared = warnOfStaleEntries(keys, config.endpoints, log, () => isClosing);
    open.push(() => {
      isClosing = true;
      return compared;
    });
    const started = { url, adminUrl, ...metricsUrl, firstStart };
    await options.announce?.(started);
    // Only now: had anything failed before, nobody would know what the start made.
    const { inForce, isAll } = await noteShown();
    if (!isAll)
      log.warn(
        "another process on this store made its own secrets: what it shows counts where both made one",
      );
    await options.onShown?.({ ...started, firstStart: inForce }, isAll);
    return { started, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function closeApp(app: App): Promise<void> {
  const cut = setTimeout(() => destroySockets(app.server), CLOSE_GRACE_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
    destroySockets(app.server);
  }
}

/** What the build wrote: beside the sources, or around this file when it is part of the build. */
function distFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const isBuilt = existsSync(join(here, "server.js"));
  return isBuilt ? join(here, "..") : join(here, "..", "dist");
}
