import { createServer, IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TurnBudget } from "../lib/turn-budget.ts";
import { REALTIME_PATH, refuse } from "../protocol/index.ts";
import { HttpResponse } from "./http-response.ts";
import { LingeringClose } from "./lingering-close.ts";
import { endWith, parserRefusal, rawRefusal, sendRefusal } from "./refusals.ts";
import { hasBody, headRefusal, isWebSocket, MAX_HEADER_LINES, withoutUpgrade } from "./request-head.ts";
import { SERVER_SETTINGS } from "./server-settings.ts";
import type { Exchange, TcpConnection } from "./tcp-connection.ts";
import type { TcpConnections } from "./tcp-connections.ts";

/** What takes the requests below the realtime path before Fastify sees them. */
export type RealtimeHandlers = {
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
};

export type ListenerOptions = {
  readonly realtime: RealtimeHandlers | undefined;
  readonly connections: TcpConnections;
  /** Requests that were sent behind another one take their time of each turn from here. */
  readonly turn: TurnBudget;
  /** Whether pages of any origin may read what is refused. */
  readonly isCrossOrigin: boolean;
};

/**
 * Requests of one TCP connection that may wait for the answers before theirs. Each begins when the answer before it is with the
 * system. Node parses all that one chunk of 64 KiB brings, some thousands, before anybody can stop it; browsers send one after the other.
 */
const MAX_PIPELINED = 20;

/** So many requests of a connection are left unanswered after its last answer, and then it is closed: Node keeps each of them. */
const MAX_IGNORED = 100;

/** Requests that wait or are ignored, of all connections together (some 4 KB each). */
const MAX_WAITING = 8_192;

/** Agnost's clients connect below a doubled path. */
const REALTIME_PATHS: ReadonlySet<string> = new Set([REALTIME_PATH, `${REALTIME_PATH}realtime/`]);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The connections of each server. */
const connectionsOf = new WeakMap<object, TcpConnections>();

/**
 * An HTTP server that refuses ambiguous requests before anybody routes them, hands the realtime path to Socket.IO and the rest to
 * `handler`. Not listening yet.
 */
export function createListener(handler: Handler, options: ListenerOptions): Server {
  const server = createServer<typeof IncomingMessage, typeof HttpResponse>({
    ...SERVER_SETTINGS,
    IncomingMessage,
    ServerResponse: HttpResponse,
  });
  server.maxHeadersCount = MAX_HEADER_LINES;
  // A server-wide timeout of idle sockets would end quiet WebSockets and long polls.
  server.timeout = 0;
  const { connections } = options;
  connectionsOf.set(server, connections);
  const listener = new Listener(server, handler, options);
  server.on("connection", (socket: Socket) => connections.add(socket));
  server.on("request", (request, response) => listener.take(request, response, false));
  server.on("checkContinue", (request, response) => listener.take(request, response, true));
  server.on("checkExpectation", (request, response) => listener.refuseExpectation(request, response));
  server.on("upgrade", (request, socket, head) => listener.upgrade(request, socket, head));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => listener.fail(error.code, socket));
  // Without a listener, an error of `accept` (no descriptors left) would end the process.
  server.on("error", () => {
    if (server.listening) connections.evict();
  });
  return server;
}

/** TCP connections of a server, upgraded and silent ones too. */
export function openSocketCount(server: Server): number {
  return connectionsOf.get(server)?.size ?? 0;
}

/** End every connection that is still open, upgraded and silent ones too. */
export function destroySockets(server: Server): void {
  connectionsOf.get(server)?.destroyAll();
}

class Listener {
  readonly #server: Server<typeof IncomingMessage, typeof HttpResponse>;
  readonly #handler: Handler;
  readonly #options: ListenerOptions;
  readonly #lingering = new LingeringClose();
  /** One function for all connections: the end of each answer begins the next request. */
  readonly #onFinish: (this: HttpResponse) => void;
  readonly #destroySoon: (this: Socket) => void;

  constructor(
    server: Server<typeof IncomingMessage, typeof HttpResponse>,
    handler: Handler,
    options: ListenerOptions,
  ) {
    this.#server = server;
    this.#handler = handler;
    this.#options = options;
    const listener = this;
    this.#onFinish = function onFinish(this: HttpResponse): void {
      if (this.tcp !== undefined) listener.#beginNext(this.tcp);
    };
    this.#destroySoon = function destroySoon(this: Socket): void {
      if (options.connections.of(this)?.isBodyUnread === true) listener.#lingering.begin(this);
      else Socket.prototype.destroySoon.call(this);
    };
  }

  /** A request has arrived. It begins now, or when the answer before it is with the system. */
  take(request: IncomingMessage, response: HttpResponse, awaitsContinue: boolean): void {
    const { socket } = request;
    const connection = this.#options.connections.of(socket);
    if (connection === undefined || socket.destroyed) return;
    if (connection.isLast || socket.writableEnded) {
      this.#ignore(connection);
      return;
    }
    response.tcp = connection;
    const exchange = { request, response, awaitsContinue };
    if (connection.isIdle && (connection.waiting === undefined || connection.waiting.length === 0))
      this.#begin(connection, exchange);
    else this.#wait(connection, exchange);
  }

  refuseExpectation(request: IncomingMessage, response: HttpResponse): void {
    const connection = this.#options.connections.of(request.socket);
    if (connection === undefined) return;
    // Node keeps the order of answers; nothing of this one is large.
    connection.isLast = true;
    this.#refuse({ request, response, awaitsContinue: false }, refuse("expectation_failed"));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { connections, realtime } = this.#options;
    const connection = connections.of(socket);
    if (connection === undefined || connection.isLast || socket.writableEnded) {
      socket.destroy();
      return;
    }
    if (connection.isIdle && (connection.waiting?.length ?? 0) > 0) {
      setImmediate(() => this.upgrade(request, socket, head));
      return;
    }
    if (!connection.isIdle) {
      // An answer is under way, and another would be written into it. Nobody reads the connection meanwhile.
      const again = (): void => this.upgrade(request, socket, head);
      connection.response?.once("finish", again);
      return;
    }
    connections.touch(connection);
    const refusal = headRefusal(request);
    if (refusal !== undefined) {
      endWith(socket, refusal);
    } else if (!isWebSocket(request)) {
      this.#ignoreUpgrade(request, socket, head);
    } else if (realtime !== undefined && isRealtime(request.url)) {
      connections.upgraded(connection);
      realtime.handleUpgrade(request, socket, head);
    } else {
      endWith(socket, refuse("not_found", "nothing is upgraded here"));
    }
  }

  /** Node could not read what came, or not in time. */
  fail(code: string | undefined, socket: Duplex): void {
    if (!(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    if (this.#lingering.has(socket)) return;
    const connection = this.#options.connections.of(socket);
    // In the middle of an answer nothing else can be said.
    const isAnswering = connection?.response?.headersSent === true || (connection?.waiting?.length ?? 0) > 0;
    if (connection === undefined || isAnswering || !socket.writable) {
      socket.destroy();
      return;
    }
    connection.isLast = true;
    socket.write(rawRefusal(parserRefusal(code), this.#options.isCrossOrigin));
    this.#lingering.begin(socket);
  }

  #wait(connection: TcpConnection, exchange: Exchange): void {
    const { connections } = this.#options;
    connection.waiting ??= [];
    const { waiting } = connection;
    if (waiting.length >= MAX_PIPELINED - 1 || connections.waitingRequests >= MAX_WAITING) {
      connection.isLast = true;
      // Node sends it behind the answers that are still to come.
      this.#refuse(
        exchange,
        refuse("rate_limit_exceeded", "too many requests wait on this connection", 1_000),
      );
      return;
    }
    if (waiting.length === 0) connection.response?.once("finish", this.#onFinish);
    connection.abortCheaply();
    waiting.push(exchange);
    connections.countWaiting(1);
  }

  #ignore(connection: TcpConnection): void {
    connection.ignored += 1;
    connection.abortCheaply();
    this.#options.connections.countWaiting(1);
    if (connection.ignored > MAX_IGNORED) connection.socket.destroy();
  }

  /** It does not begin before this turn has time for it: many clients that send many at once would take a turn for long. */
  #beginNext(connection: TcpConnection): void {
    const { turn } = this.#options;
    const itsTurn = turn.untilTurn(connection.owner);
    if (itsTurn === undefined) {
      turn.begin(connection.owner);
      this.#beginWaiting(connection);
    } else {
      void itsTurn.then(() => this.#beginWaiting(connection));
    }
  }

  #beginWaiting(connection: TcpConnection): void {
    const exchange = connection.waiting?.shift();
    if (exchange === undefined) return;
    this.#options.connections.countWaiting(-1);
    // The answer before was the last one.
    if (connection.socket.destroyed || connection.socket.writableEnded) return;
    if (connection.waiting?.length !== 0) exchange.response.once("finish", this.#onFinish);
    this.#begin(connection, exchange);
  }

  #begin(connection: TcpConnection, exchange: Exchange): void {
    const { connections, realtime } = this.#options;
    const { request, response, awaitsContinue } = exchange;
    connection.response = response;
    connections.touch(connection);
    const refusal = headRefusal(request);
    if (hasBody(request)) {
      request.socket.destroySoon = this.#destroySoon;
      if (request.headers.upgrade !== undefined) {
        connection.isLast = true;
        response.shouldKeepAlive = false;
      }
    }
    if (refusal !== undefined) {
      connection.isLast = true;
      this.#refuse(exchange, refusal);
      return;
    }
    if (awaitsContinue) continueWhenRead(request, response);
    if (realtime !== undefined && isRealtime(request.url)) {
      realtime.handleRequest(request, response);
    } else if (connections.isOverUnsent(connection)) {
      const why = "too many answers wait to be read: read them, or try again later";
      sendRefusal(request, response, refuse("unavailable", why, 1_000), this.#options.isCrossOrigin);
    } else {
      this.#handler(request, response);
    }
  }

  /** What comes after it on this connection is not answered. */
  #refuse({ request, response }: Exchange, refusal: ReturnType<typeof refuse>): void {
    response.shouldKeepAlive = false;
    sendRefusal(request, response, refusal, this.#options.isCrossOrigin);
  }

  /**
   * A server that does not know a protocol ignores the wish to upgrade to it (RFC 9110, 7.8): Java's HttpClient and curl ask for
   * h2c with every first request. Node hands all of them over as upgrades, so the request is put back without that
   * wish and parsed again. (Telling Node that it is no upgrade would lose what comes behind it in the same chunk.)
   */
  #ignoreUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const text = withoutUpgrade(request);
    if (typeof text !== "string") {
      endWith(socket, text);
      return;
    }
    // Node adds them anew, and took only its other listeners off.
    for (const event of ["pause", "resume"]) socket.removeAllListeners(event);
    socket.unshift(Buffer.concat([Buffer.from(text, "latin1"), head]));
    this.#server.emit("connection", socket);
  }
}

/** 100 is sent when the body begins to be read: a call that is refused by its head hears so before it sends the body. */
function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  request.once("resume", () => {
    if (!response.headersSent && !response.writableEnded) response.writeContinue();
  });
}

function isRealtime(url: string | undefined = ""): boolean {
  const mark = url.indexOf("?");
  const path = mark === -1 ? url : url.slice(0, mark);
  return REALTIME_PATHS.has(path.endsWith("/") ? path : `${path}/`);
}
