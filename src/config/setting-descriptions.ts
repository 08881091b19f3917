import type { Config } from "./config.ts";

/** What each setting is for, in a sentence for its operator. */
export const SETTING_DESCRIPTIONS: Readonly<Record<keyof Config, string>> = {
  host: "The address that the public listener listens on.",
  port: "The port of the public listener.",
  adminHost: "The address that the admin listener listens on.",
  adminPort: "The port of the admin listener.",
  publicOrigins: "The origins under which browsers reach the public listener.",
  store: "Where API keys are kept.",
  keySweepSeconds: "How often the keys in use are compared with the store.",
  auditDays: "For how many days the audit keeps what was done; 0 for ever.",
  trustedProxies: "Proxies whose forwarding header is believed.",
  forwardedHeader: "The one header in which trusted proxies say where a request comes from.",
  adminToken: "The token of the admin API, if the configuration sets it.",
  metricsHost: "The address that the metrics listener listens on.",
  metricsPort: "The port of a listener for /metrics alone.",
  metricsToken: "The token of /metrics, if it has one of its own.",
  adminOrigin: "The origin under which the console is opened, besides localhost and the admin host.",
  realtime: "Whether channels are served, over sockets and over HTTP.",
  keyRequired: "Whether a connection has to bring an API key.",
  apiKeyInQuery: "Whether an API key may come in the URL, as ?apikey=.",
  pingIntervalMs: "How often each client is asked whether it is still there.",
  pingTimeoutMs: "How long a client may take to say that it is, before its connection is closed.",
  connectTimeoutMs: "How long a connection may take to authenticate.",
  maxPendingPerAddress: "Connections of one address that may be unauthenticated at the same time.",
  maxConnections: "Connections that this node takes in all; 0 for no limit.",
  maxConnectionsPerAddress: "Connections that one address may have; 0 for no limit.",
  maxConnectionsPerKey: "Connections that one API key may have; 0 for no limit.",
  maxOutboundBytes: "What a client may leave unread before it is cut off.",
  overload:
    "From which use of a resource on the node protects itself, for each of three stages; false: never.",
  maxPresenceDeliveriesPerSecond:
    "How many members may hear of one connection's joins, leaves and updates in a second; 0 for no limit.",
  maxTcpConnections:
    "TCP connections that the public listener holds, WebSockets included; 0 for what the limit of open files leaves room for.",
  maxUnsentHttpBytes: "Bytes of HTTP answers that clients have not read, of all connections together.",
  maxHistoryBytes: "What all retained messages together may take in memory.",
  maxDisconnectedBytes: "What clients take in memory that are gone and may come back as themselves.",
  maxChannels:
    "Channels with members on this node; beyond it, keys and addresses above their fair share are refused.",
  maxMemberships:
    "Memberships in all channels of this node, and what is remembered of those that ended, bounded in the same way.",
  maxIdleChannels: "Channels without members that keep their position.",
  maxMessageIds: "Ids of messages that are remembered, so that a repeat is not sent again.",
  maxUnreadMs: "How long a client that has left more than that unread may read nothing.",
  maxUnsentBytes: "Bytes of messages that clients have not read, counted once where they share them.",
  maxRequestsPerSecond: "Requests a second that one connection may send; beyond, it is read more slowly.",
  maxReceivedBytesPerSecond: "Bytes a second that one connection may send; beyond, it is read more slowly.",
  maxWaitingBytes:
    "What may wait of the requests of all connections, and the same of bodies of HTTP calls; beyond, who holds most is ended or refused.",
  endpointPrefix: "The path below which the declared endpoints are.",
  endpoints: "The application's declared endpoints.",
  channels: "Settings of channels by the pattern of their names; the first that matches counts.",
  logLevel: "How much is written to the log.",
};
