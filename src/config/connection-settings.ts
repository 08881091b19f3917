import { Type } from "typebox";
import { DEFAULT_THRESHOLDS, type OverloadThresholds } from "../overload/index.ts";
import { setting, settingOf } from "./setting.ts";
import { stagesProblem } from "./value-problems.ts";

const MaxConnections = Type.Integer({ minimum: 0, maximum: 10_000_000 });
const Share = Type.Number({ exclusiveMinimum: 0, maximum: 1 });
const DelayMs = Type.Number({ minimum: 10, maximum: 600_000 });
/** The values from which the three stages of overload begin. */
const stages = (value: typeof Share) => Type.Optional(Type.Tuple([value, value, value]));

/** Who may connect, for how long, and how much each connection and the node take. */
export const CONNECTION_SETTINGS = {
  realtime: setting({
    schema: Type.Boolean(),
    fallback: true,
    environment: "SLUICE_REALTIME",
    help: "Whether channels are served, over sockets and over HTTP.",
    defaultText: "true",
  }),
  keyRequired: setting({
    schema: Type.Boolean(),
    fallback: true,
    environment: "SLUICE_KEY_REQUIRED",
    help: "Whether a connection has to bring an API key.",
    defaultText: "true; without, a connection that sends no key may do everything on channels",
  }),
  apiKeyInQuery: setting({
    schema: Type.Boolean(),
    fallback: true,
    environment: "SLUICE_API_KEY_IN_QUERY",
    help: "Whether an API key may come in the URL, as ?apikey=.",
    defaultText: "true",
  }),
  /** How often each client is asked whether it is there, and how long it may take to say so. */
  pingIntervalMs: setting({
    schema: Type.Integer({ minimum: 1_000, maximum: 300_000 }),
    fallback: 25_000,
    environment: "SLUICE_PING_INTERVAL_MS",
    help: "How often each client is asked whether it is still there.",
    defaultText: "25000 milliseconds",
  }),
  pingTimeoutMs: setting({
    schema: Type.Integer({ minimum: 1_000, maximum: 300_000 }),
    fallback: 20_000,
    environment: "SLUICE_PING_TIMEOUT_MS",
    help: "How long a client may take to say that it is, before its connection is closed.",
    defaultText: "20000 milliseconds",
  }),
  connectTimeoutMs: setting({
    schema: Type.Integer({ minimum: 100, maximum: 60_000 }),
    fallback: 5_000,
    help: "How long a connection may take to authenticate.",
    defaultText: "5000 milliseconds",
  }),
  maxPendingPerAddress: setting({
    schema: Type.Integer({ minimum: 1 }),
    fallback: 256,
    help: "Connections of one address that may be unauthenticated at the same time.",
    defaultText: "256",
  }),
  /** Of this node; 0: no limit. */
  maxConnections: setting({
    schema: MaxConnections,
    fallback: 0,
    environment: "SLUICE_MAX_CONNECTIONS",
    help: "Connections that this node takes in all; 0 for no limit.",
    defaultText: "0 (no limit)",
  }),
  maxConnectionsPerAddress: setting({
    schema: MaxConnections,
    fallback: 20_000,
    environment: "SLUICE_MAX_CONNECTIONS_PER_ADDRESS",
    help: "Connections that one address may have; 0 for no limit.",
    defaultText: "20000",
  }),
  maxConnectionsPerKey: setting({
    schema: MaxConnections,
    fallback: 0,
    environment: "SLUICE_MAX_CONNECTIONS_PER_KEY",
    help: "Connections that one API key may have; 0 for no limit.",
    defaultText: "0 (no limit)",
  }),
  /** What a client may leave unread before it is cut off, beside the message that exceeds it. */
  maxOutboundBytes: setting({
    schema: Type.Integer({ minimum: 16 * 1024, maximum: 1024 ** 3 }),
    fallback: 1024 * 1024,
    help: "What a client may leave unread before it is cut off.",
    defaultText: "1048576 bytes",
  }),
  /** From which value of a resource on the node protects itself, for each of its stages; false: never. */
  overload: settingOf(
    {
      schema: Type.Union([
        Type.Literal(false),
        Type.Object(
          {
            heap: stages(Share),
            memory: stages(Share),
            loopDelay: stages(DelayMs),
            descriptors: stages(Share),
          },
          { additionalProperties: false },
        ),
      ]),
      problem: stagesProblem,
      help: "From which use of a resource on the node protects itself, for each of three stages; false: never.",
      defaultText: "on: see [Overload](#overload); `false` turns it off",
    },
    (input): OverloadThresholds | false =>
      input === false ? false : Object.freeze({ ...DEFAULT_THRESHOLDS, ...input }),
  ),
  /** How many members may hear of one connection's joins, leaves and updates in a second, ten seconds' worth at once; 0: no limit. */
  maxPresenceDeliveriesPerSecond: setting({
    schema: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
    fallback: 10_000,
    environment: "SLUICE_MAX_PRESENCE_DELIVERIES_PER_SECOND",
    help: "How many members may hear of one connection's joins, leaves and updates in a second; 0 for no limit.",
    defaultText: "10000",
  }),
  /** TCP connections of the public listener, WebSockets included; 0: what the descriptor limit leaves room for, which it never exceeds. */
  maxTcpConnections: setting({
    schema: MaxConnections,
    fallback: 0,
    environment: "SLUICE_MAX_TCP_CONNECTIONS",
    help: "TCP connections that the public listener holds, WebSockets included; 0 for what the limit of open files leaves room for.",
    defaultText: "0",
  }),
  /** Bytes of HTTP answers that nobody has read, of all connections together. */
  maxUnsentHttpBytes: setting({
    schema: Type.Integer({ minimum: 1024 * 1024, maximum: 1024 ** 4 }),
    fallback: 64 * 1024 * 1024,
    environment: "SLUICE_MAX_UNSENT_HTTP_BYTES",
    help: "Bytes of HTTP answers that clients have not read, of all connections together.",
    defaultText: "67108864",
  }),
};
