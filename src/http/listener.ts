import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { REALTIME_PATH, rawProblemResponse, refuse } from "../protocol/index.ts";
import { targetFault } from "./path-guard.ts";

/** What takes the requests below the realtime path before Fastify sees them. */
export type RealtimeHandlers = {
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
};

/** How long a client may take for the head of a request, a silent TCP connection included. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 60_000;

/** Agnost's clients connect below a doubled path. */
const REALTIME_PATHS: ReadonlySet<string> = new Set([REALTIME_PATH, `${REALTIME_PATH}realtime/`]);

/**
 * An HTTP server that refuses ambiguous request targets before anybody routes them, hands the realtime path
 * to Socket.IO and the rest to `handler`. Not listening yet.
 */
export function createListener(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  realtime: RealtimeHandlers | undefined,
): Server {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 1_000,
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const fault = targetFault(request.url ?? "");
    if (fault !== undefined) {
      refuseTarget(request.socket, fault);
    } else if (realtime !== undefined && isRealtime(request.url)) {
      realtime.handleRequest(request, response);
    } else {
      handler(request, response);
    }
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const fault = targetFault(request.url ?? "");
    if (fault !== undefined) {
      refuseTarget(socket, fault);
    } else if (realtime !== undefined && isRealtime(request.url)) {
      realtime.handleUpgrade(request, socket, head);
    } else {
      socket.end(rawProblemResponse(refuse("not_found", "nothing is upgraded here")), () => socket.destroy());
    }
  });
  return server;
}

/** Answered by hand and closed: what follows on such a connection is not trusted either. */
function refuseTarget(socket: Duplex, fault: string): void {
  const refusal = refuse("ambiguous_target", `the request target has ${fault}`);
  socket.end(rawProblemResponse(refusal), () => socket.destroy());
}

function isRealtime(url: string | undefined): boolean {
  const path = url?.split("?", 1)[0] ?? "";
  return REALTIME_PATHS.has(path.endsWith("/") ? path : `${path}/`);
}
