import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  PROBLEM_MEDIA_TYPE,
  problemOf,
  REALTIME_PATH,
  type Refusal,
  rawProblemResponse,
  refusalHeaders,
  refuse,
} from "../protocol/index.ts";
import { targetFault } from "./path-guard.ts";

/** What takes the requests below the realtime path before Fastify sees them. */
export type RealtimeHandlers = {
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
};

/** How long a client may take for the head of a request, a silent TCP connection included. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Requests of one TCP connection that may wait for their answers at the same time. Node begins all that one chunk of 64 KiB
 * brings, some 500, and keeps every answer that is not read; browsers send one after the other.
 */
const MAX_PIPELINED = 20;

/** Agnost's clients connect below a doubled path. */
const REALTIME_PATHS: ReadonlySet<string> = new Set([REALTIME_PATH, `${REALTIME_PATH}realtime/`]);

/** The open sockets of each server, with the requests that wait: Node's own list forgets those that were upgraded. */
const openSockets = new WeakMap<Server, Map<Socket, number>>();

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
  const sockets = new Map<Socket, number>();
  openSockets.set(server, sockets);
  function forget(this: Socket): void {
    sockets.delete(this);
  }
  server.on("connection", (socket: Socket) => {
    if (sockets.has(socket)) return;
    sockets.set(socket, 0);
    socket.on("close", forget);
  });
  const waits = (socket: Socket, by: 1 | -1): number => {
    const count = (sockets.get(socket) ?? 0) + by;
    if (sockets.has(socket)) sockets.set(socket, count);
    return count;
  };
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    response.once("close", () => waits(socket, -1));
    const fault = targetFault(request.url ?? "");
    if (waits(socket, 1) > MAX_PIPELINED) {
      response.shouldKeepAlive = false;
      sendProblem(
        response,
        refuse("rate_limit_exceeded", "too many requests wait on this connection", 1_000),
      );
    } else if (fault !== undefined) {
      // What follows on such a connection is not trusted either.
      response.shouldKeepAlive = false;
      sendProblem(response, ambiguous(fault));
    } else if (realtime !== undefined && isRealtime(request.url)) {
      realtime.handleRequest(request, response);
    } else {
      handler(request, response);
    }
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const fault = targetFault(request.url ?? "");
    if (fault !== undefined) {
      end(socket, ambiguous(fault));
    } else if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      ignoreUpgrade(server, request, socket, head);
    } else if (realtime !== undefined && isRealtime(request.url)) {
      realtime.handleUpgrade(request, socket, head);
    } else {
      end(socket, refuse("not_found", "nothing is upgraded here"));
    }
  });
  return server;
}

/** TCP connections of a server, upgraded and silent ones too. */
export function openSocketCount(server: Server): number {
  return openSockets.get(server)?.size ?? 0;
}

/** End every connection that is still open, upgraded and silent ones too. */
export function destroySockets(server: Server): void {
  for (const socket of openSockets.get(server)?.keys() ?? []) socket.destroy();
}

function ambiguous(fault: string): Refusal {
  return refuse("ambiguous_target", `the request target has ${fault}`);
}

function sendProblem(response: ServerResponse, refusal: Refusal): void {
  const body = JSON.stringify(problemOf(refusal));
  const headers = {
    ...refusalHeaders(refusal),
    "content-type": PROBLEM_MEDIA_TYPE,
    "content-length": Buffer.byteLength(body),
  };
  response.writeHead(refusal.status, headers).end(body);
}

function end(socket: Duplex, refusal: Refusal): void {
  socket.on("error", () => socket.destroy());
  socket.end(rawProblemResponse(refusal), () => socket.destroy());
}

/**
 * A server that does not know a protocol ignores the wish to upgrade to it (RFC 9110, 7.8): Java's HttpClient and
 * curl ask for h2c with every first request. Node hands all of them over as upgrades, so the request is put back
 * without that wish and parsed again.
 */
function ignoreUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? "";
    const value = request.rawHeaders[i + 1] ?? "";
    const lower = name.toLowerCase();
    if (lower === "upgrade" || lower === "http2-settings") continue;
    const kept = lower === "connection" ? withoutUpgrade(value) : value;
    if (kept !== "") lines.push(`${name}: ${kept}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}

function withoutUpgrade(connection: string): string {
  return connection
    .split(",")
    .map((token) => token.trim())
    .filter((token) => !["upgrade", "http2-settings", ""].includes(token.toLowerCase()))
    .join(", ");
}

function isRealtime(url: string | undefined = ""): boolean {
  const mark = url.indexOf("?");
  const path = mark === -1 ? url : url.slice(0, mark);
  return REALTIME_PATHS.has(path.endsWith("/") ? path : `${path}/`);
}
