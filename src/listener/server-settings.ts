import type { IncomingMessage } from "node:http";
import { hasBody, isWebSocket } from "./request-head.ts";

/** Every setting of Node's server, also those that are at Node's default: another version may have another one. */
export const SERVER_SETTINGS = {
  /** How long a client may take for the head of a request, a silent TCP connection included. */
  headersTimeout: 5_000,
  /** And for all of it: 1 MiB at 18 KB a second. */
  requestTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
  /** Longer than proxies keep an idle connection (60 s in nginx, AWS, Envoy and Google), so that it is the proxy that closes. Node waits a second longer than it announces. */
  keepAliveTimeout: 75_000,
  /** A connection is bounded by time and by what it holds; closing it after so many requests would only cost handshakes. */
  maxRequestsPerSocket: 0,
  maxHeaderSize: 16 * 1024,
  insecureHTTPParser: false,
  /** Looked at in `headRefusal`, which answers with a reason. */
  requireHostHeader: false,
  joinDuplicateHeaders: false,
  noDelay: true,
  /** What is dead is found by the timeouts here and by Engine.IO's pings; a system call for each connection is saved. */
  keepAlive: false,
  /** Node 20's default, where later versions have 64 KiB: what one connection may hold, times all connections. */
  highWaterMark: 16 * 1024,
  /**
   * From Node 24.9 on. Later versions read the body of a request that wishes to be upgraded before they hand it over: it could not be
   * put back. With a body such a request is an ordinary one, and the last of its connection, because Node drops what
   * came behind it in the same chunk. Earlier versions hand over all of them as they came.
   */
  shouldUpgradeCallback: (request: IncomingMessage): boolean => isWebSocket(request) || !hasBody(request),
} as const;
