import { cpuUsage, version as nodeVersion, uptime } from "node:process";
import { getHeapStatistics } from "node:v8";
import type { LatencyHistogram } from "./latency-histogram.ts";
import type { Traffic } from "./traffic.ts";

/** Something bounded, and how much of it is in use: asked when somebody looks. */
export type Budget = {
  /** A fixed word: it is a label. */
  readonly name: string;
  readonly used: () => number;
  /** Undefined: no limit. */
  readonly limit: () => number | undefined;
};

/** What the process uses, from whoever reads it without fail: nothing here opens a file. */
export type ProcessFigures = {
  readonly residentBytes: number;
  readonly heapLiveBytes: number;
  readonly heapLimitBytes: number;
  readonly openDescriptors: number;
  readonly maxDescriptors: number | undefined;
  /** Of the event loop, in the last second. */
  readonly loopDelayP50Ms: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
};

/** Where the figures come from. All are read when they are asked for. */
export type MetricsSources = {
  readonly version: string;
  readonly traffic: Traffic;
  readonly gauges: () => {
    readonly connections: number;
    readonly channels: number;
    readonly memberships: number;
  };
  readonly budgets: readonly Budget[];
  /** Over the public listener, since the start. */
  readonly network: () => { readonly receivedBytes: number; readonly sentBytes: number };
  readonly process: () => ProcessFigures;
  readonly overload: () => { readonly stage: number; readonly shed: number };
};

/** Values by their label; undefined is the one value of a metric without a label. */
export type Labeled<T> = readonly (readonly [label: string | undefined, value: T])[];

/** One metric. The values of its label, if it has one, are fixed words, codes of the error table or declared ids. */
export type MetricRow = { readonly name: string; readonly help: string; readonly label?: string } & (
  | { readonly type: "gauge" | "counter"; readonly read: (from: MetricsSources) => Labeled<number> }
  | { readonly type: "histogram"; readonly read: (from: MetricsSources) => Labeled<LatencyHistogram> }
);

type ReadNumber = (from: MetricsSources) => number;

const single =
  (type: "gauge" | "counter") =>
  (name: string, help: string, read: ReadNumber): MetricRow => ({
    type,
    name,
    help,
    read: (from) => [[undefined, read(from)]],
  });
const gauge = single("gauge");
const counter = single("counter");

const STARTED_AT_SECONDS = Date.now() / 1_000 - uptime();

/** Every metric of a node; docs/metrics.md lists the same. */
export const METRIC_ROWS: readonly MetricRow[] = [
  {
    type: "gauge",
    name: "sluice_info",
    help: "Always 1; the version of Sluice is its label.",
    label: "version",
    read: ({ version }) => [[version, 1]],
  },
  gauge("sluice_connections", "Open realtime connections.", ({ gauges }) => gauges().connections),
  gauge("sluice_channels", "Channels with members on this node.", ({ gauges }) => gauges().channels),
  gauge("sluice_memberships", "Members of all channels together.", ({ gauges }) => gauges().memberships),
  counter(
    "sluice_connections_opened_total",
    "Connections that came through the gate.",
    ({ traffic }) => traffic.connected,
  ),
  counter(
    "sluice_connections_closed_total",
    "Connections that ended.",
    ({ traffic }) => traffic.disconnected,
  ),
  counter(
    "sluice_messages_published_total",
    "Messages that were published on this node.",
    ({ traffic }) => traffic.published,
  ),
  counter(
    "sluice_messages_delivered_total",
    "Messages times the members on this node that each was sent to.",
    ({ traffic }) => traffic.delivered,
  ),
  counter(
    "sluice_network_received_bytes_total",
    "Bytes that came in over the public listener.",
    ({ network }) => network().receivedBytes,
  ),
  counter(
    "sluice_network_sent_bytes_total",
    "Bytes that went out over the public listener.",
    ({ network }) => network().sentBytes,
  ),
  {
    type: "counter",
    name: "sluice_decisions_total",
    help: "Decisions of the gate, by their code: allowed, or a code of the error table.",
    label: "code",
    read: ({ traffic }) => [["allowed", traffic.allowed], ...traffic.deniedByCode],
  },
  {
    type: "histogram",
    name: "sluice_decision_seconds",
    help: "From the question to the gate to its answer.",
    read: ({ traffic }) => [[undefined, traffic.decisionTime]],
  },
  {
    type: "histogram",
    name: "sluice_publish_seconds",
    help: "From a publish's arrival until the broker has it.",
    read: ({ traffic }) => [[undefined, traffic.publishTime]],
  },
  {
    type: "histogram",
    name: "sluice_endpoint_seconds",
    help: "What the handlers of the declared endpoints take.",
    label: "endpoint",
    read: ({ traffic }) => [...traffic.endpoints].map(([id, { time }]) => [id, time] as const),
  },
  {
    type: "counter",
    name: "sluice_endpoint_denied_total",
    help: "Calls of the declared endpoints that were denied.",
    label: "endpoint",
    read: ({ traffic }) => [...traffic.endpoints].map(([id, { denied }]) => [id, denied] as const),
  },
  counter(
    "sluice_slow_consumers_total",
    "Clients that were cut off because they did not read.",
    ({ traffic }) => traffic.slowConsumers,
  ),
  counter("sluice_gaps_total", "Gaps that clients were told of.", ({ traffic }) => traffic.gaps),
  {
    type: "gauge",
    name: "sluice_budget_used",
    help: "How much of each budget is in use.",
    label: "budget",
    read: ({ budgets }) => budgets.map(({ name, used }) => [name, used()] as const),
  },
  {
    type: "gauge",
    name: "sluice_budget_limit",
    help: "How much each budget has; a budget without a limit is not here.",
    label: "budget",
    read: ({ budgets }) =>
      budgets.flatMap(({ name, limit }) => {
        const most = limit();
        return most === undefined ? [] : [[name, most] as const];
      }),
  },
  gauge(
    "sluice_overload_stage",
    "How far the node protects itself: 0 to 3.",
    ({ overload }) => overload().stage,
  ),
  counter(
    "sluice_overload_shed_total",
    "Connections that were closed because their owner weighed most.",
    ({ overload }) => overload().shed,
  ),
  gauge(
    "process_start_time_seconds",
    "When the process started, in seconds since 1970.",
    () => STARTED_AT_SECONDS,
  ),
  counter("process_cpu_user_seconds_total", "Processor time in user code.", () => cpuUsage().user / 1e6),
  counter("process_cpu_system_seconds_total", "Processor time in the system.", () => cpuUsage().system / 1e6),
  gauge("process_resident_memory_bytes", "Resident memory.", (from) => from.process().residentBytes),
  gauge("process_open_fds", "Open file descriptors.", (from) => from.process().openDescriptors),
  gauge(
    "process_max_fds",
    "The soft limit of file descriptors.",
    (from) => from.process().maxDescriptors ?? Number.NaN,
  ),
  gauge("nodejs_heap_size_total_bytes", "Size of V8's heap.", () => getHeapStatistics().total_heap_size),
  gauge(
    "nodejs_heap_size_used_bytes",
    "Used size of V8's heap, with garbage.",
    () => getHeapStatistics().used_heap_size,
  ),
  gauge(
    "nodejs_external_memory_bytes",
    "Memory outside of V8's heap that it holds.",
    () => getHeapStatistics().external_memory,
  ),
  gauge(
    "sluice_heap_live_bytes",
    "What lived in the old generation after the last major collection.",
    (from) => from.process().heapLiveBytes,
  ),
  gauge(
    "sluice_heap_limit_bytes",
    "What the old generation may hold.",
    (from) => from.process().heapLimitBytes,
  ),
  gauge(
    "nodejs_eventloop_lag_p50_seconds",
    "Median delay of the event loop in the last second.",
    (from) => from.process().loopDelayP50Ms / 1e3,
  ),
  gauge(
    "nodejs_eventloop_lag_p99_seconds",
    "99th percentile of it.",
    (from) => from.process().loopDelayP99Ms / 1e3,
  ),
  gauge(
    "nodejs_eventloop_lag_max_seconds",
    "The longest of it.",
    (from) => from.process().loopDelayMaxMs / 1e3,
  ),
  {
    type: "gauge",
    name: "nodejs_version_info",
    help: "Always 1; the version of Node is its label.",
    label: "version",
    read: () => [[nodeVersion, 1]],
  },
];
