import { type Broker, MemoryBroker } from "./channels/index.ts";
import type { Config } from "./config/config.ts";
import type { KeyStore } from "./keys/index.ts";
import {
  type App,
  bearsToken,
  createApp,
  listenOn,
  registerHealth,
  registerMetrics,
  type TcpConnections,
  type tcpConnections,
} from "./listener/index.ts";
import type { Logger } from "./observe/log.ts";
import { type Budget, Metrics, type ProcessFigures } from "./observe/metrics.ts";
import type { Readiness } from "./observe/readiness.ts";
import { StoreProbe } from "./observe/store-probe.ts";
import type { Traffic } from "./observe/traffic.ts";
import type { OverloadGuard } from "./overload/index.ts";
import { refuse } from "./protocol/index.ts";
import type { HeldBytes } from "./realtime/index.ts";

export type NodeReportParts = {
  readonly keys: KeyStore;
  readonly overload: OverloadGuard;
  readonly traffic: Traffic;
  readonly hub: {
    readonly connectionCount: number;
    readonly channelCount: number;
    readonly membershipCount: number;
  };
  readonly budgets: readonly Budget[];
  readonly tcp: ReturnType<typeof tcpConnections>;
  readonly version: string;
  readonly log: Logger;
};

type BudgetParts = {
  readonly tcp: ReturnType<typeof tcpConnections>;
  readonly hub: NodeReportParts["hub"];
  readonly realtime: { readonly held: HeldBytes };
  readonly broker: Broker;
  readonly bodies: { readonly heldBytes: number };
};

/** What is bounded on this node, and how much of it is in use. */
export function budgetsOf(
  config: Config,
  { tcp, hub, realtime, broker, bodies }: BudgetParts,
): readonly Budget[] {
  const budget = (name: string, used: () => number, limit: number): Budget => ({
    name,
    used,
    limit: () => (limit === 0 ? undefined : limit),
  });
  const general = [
    budget("connections", () => hub.connectionCount, config.maxConnections),
    budget("tcp_connections", () => tcp.public.connections.size, tcp.public.connections.limit),
    budget("unsent_http_bytes", () => tcp.unsent.total, tcp.unsent.max),
    budget("http_body_bytes", () => bodies.heldBytes, config.maxWaitingBytes),
    budget("channels", () => hub.channelCount, config.maxChannels),
    budget("memberships", () => hub.membershipCount, config.maxMemberships),
    budget("waiting_bytes", () => realtime.held.waitingBytes, config.maxWaitingBytes),
    budget("unsent_bytes", () => realtime.held.unsentBytes, config.maxUnsentBytes),
    budget("disconnected_bytes", () => realtime.held.disconnectedBytes, config.maxDisconnectedBytes),
  ];
  if (!(broker instanceof MemoryBroker)) return general;
  return [
    ...general,
    budget("history_bytes", () => broker.historyBytes, config.maxHistoryBytes),
    budget("idle_channels", () => broker.idleChannelCount, config.maxIdleChannels),
    budget("message_ids", () => broker.messageIdCount, config.maxMessageIds),
  ];
}

/** What has to hold for new clients to be sent here: the store takes writes, and the node is not overloaded. */
export function addChecks(readiness: Readiness, { keys, overload }: NodeReportParts): void {
  const probe = new StoreProbe({ write: () => keys.meta.set("readiness", new Date().toISOString()) });
  readiness.add({
    name: "store",
    problem: async () => ((await probe.takesWrites()) ? undefined : "the key store takes no writes"),
  });
  readiness.add({
    name: "changes of keys",
    problem: () =>
      keys.pendingWrites === 0
        ? undefined
        : `${keys.pendingWrites} changes of keys are in force here and not stored`,
  });
  readiness.add({
    name: "overload",
    problem: () => {
      const resources = overload.causes.map(({ resource }) => resource).join(", ");
      return overload.stage === 0 ? undefined : `stage ${overload.stage}, because of: ${resources}`;
    },
  });
}

export function createMetrics({
  overload,
  traffic,
  hub,
  budgets,
  tcp,
  version,
  log,
}: NodeReportParts): Metrics {
  const gauges = () => ({
    connections: hub.connectionCount,
    channels: hub.channelCount,
    memberships: hub.membershipCount,
  });
  return new Metrics(
    {
      version,
      traffic,
      gauges,
      budgets,
      network: () => tcp.public.connections.traffic,
      process: () => processFigures(overload),
      overload: () => overload.view(),
    },
    log,
  );
}

function processFigures({ memory, heap, descriptors, loopDelay }: OverloadGuard): ProcessFigures {
  return {
    residentBytes: memory.residentBytes,
    heapLiveBytes: heap.liveBytes,
    heapLimitBytes: heap.limitBytes,
    openDescriptors: descriptors.open,
    maxDescriptors: descriptors.limit,
    loopDelayP50Ms: loopDelay.p50Ms,
    loopDelayP99Ms: loopDelay.p99Ms,
    loopDelayMaxMs: loopDelay.maxMs,
  };
}

type CollectorParts = {
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly connections: TcpConnections;
  readonly log: Logger;
};

/**
 * The listener of `metricsPort`, if there is one: metrics and health, and nothing of the console. Where a token is set it
 * needs that one. Added to `listeners` before it listens, so that whoever closes those closes it.
 */
export async function listenForCollectors(
  { metricsHost: host, metricsPort: port, metricsToken }: Config,
  { readiness, metrics, connections, log }: CollectorParts,
  listeners: App[],
): Promise<{ readonly metricsUrl?: string }> {
  if (port === undefined) return {};
  const app = createApp({ log, connections });
  registerHealth(app, readiness);
  registerMetrics(app, metrics, log, (request, reply) =>
    metricsToken === undefined || bearsToken(request, metricsToken)
      ? undefined
      : reply.refuse(refuse("invalid_admin_token", "this is not the token of the metrics")),
  );
  listeners.push(app);
  return { metricsUrl: await listenOn(app, "metrics", { host, port }) };
}
