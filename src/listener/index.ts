export { type App, acceptJsonSuffix, createApp, type InputFault } from "./app.ts";
export { createAddressOf } from "./client-address.ts";
export { registerHealth } from "./health.ts";
export { ListenError, listenOn } from "./listen-error.ts";
export { destroySockets, openSocketCount, type RealtimeHandlers } from "./listener.ts";
export { type ListenerConnections, tcpConnections } from "./listener-connections.ts";
export { bearsToken, registerMetrics } from "./metrics-routes.ts";
export { describeRoutes } from "./openapi.ts";
export { TcpConnections, type TcpLimits } from "./tcp-connections.ts";
