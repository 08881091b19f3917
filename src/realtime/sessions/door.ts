import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Server as Engine, type Socket as EngineSocket } from "engine.io";
import { presentedKey } from "../../gate/index.ts";
import { connectionRefusal } from "../../overload/index.ts";
import { originHeader } from "../../policy/index.ts";
import { LIMITS, type Refusal, rawProblemResponse, refuse } from "../../protocol/index.ts";
import { refuseStopping } from "../admission/shutdown-refusal.ts";
import { boundWebSockets } from "../transport/engine-reading.ts";
import { closeUpgrade, giveQuery, lightUpgrade, mayUpgrade, type Upgrade } from "../transport/engine-seam.ts";
import { firstRequest } from "../transport/first-request.ts";
import { lastOf, queryOf, valuesOf } from "../transport/handshake-query.ts";
import { allowCrossOrigin, sendProblem } from "../transport/http-response.ts";
import { OpenPoll } from "../transport/open-poll.ts";
import { Arrivals } from "./arrivals.ts";
import type { DoorOptions } from "./door-options.ts";
import { EngineSession } from "./engine-session.ts";
import type { Whence } from "./engine-session-options.ts";
import { checkLater } from "./session-check.ts";
import { SessionListeners } from "./session-listeners.ts";
import { takePost } from "./session-post.ts";

/** What a client has for its CONNECT although it waited long for a place. */
const MIN_CONNECT_MS = 1_000;

/** Where a request may go from the door. */
type Ways = {
  readonly answer: Answer;
  /** To Engine.IO. */
  readonly pass: () => void;
  /** Ends an upgrade of a session that has its WebSocket. */
  readonly closeRepeated: (() => void) | undefined;
};

/** What a client has to close a WebSocket for a session that has one. */
const REPEATED_UPGRADE_MS = 1_000;

/** Sends a refusal over whichever of the two a request has. */
type Answer = (refusal: Refusal) => void;

/**
 * Everything that reaches Engine.IO comes through here: handshakes wait for a place, and each later poll and
 * upgrade is decided again with its session's key. (Engine.IO's own `allowRequest` is not asked about later
 * requests, and its middleware cannot send a status to an upgrade.)
 *
 * Owns the sessions, from Engine.IO's `connection` to its `close`.
 */
export class Door {
  readonly engine: Engine;
  readonly #options: DoorOptions;
  readonly #arrivals: Arrivals;
  readonly #sessions = new Map<string, EngineSession>();
  readonly #byConnection = new Map<EngineSocket, EngineSession>();
  readonly #listeners: SessionListeners;
  readonly #upgrade: Upgrade;
  readonly #closeUpgrade: Upgrade;
  #isClosing = false;
  #onEmpty: (() => void) | undefined;
  readonly #onClose: (this: EngineSocket) => void;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#arrivals = new Arrivals(options);
    this.engine = new Engine({
      maxHttpBufferSize: LIMITS.maxPayloadBytes,
      pingInterval: options.pingIntervalMs,
      pingTimeout: options.pingTimeoutMs,
      perMessageDeflate: false,
      httpCompression: false,
      transports: ["polling", "websocket"],
    });
    boundWebSockets(this.engine);
    this.#upgrade = lightUpgrade(this.engine);
    this.#closeUpgrade = closeUpgrade(this.engine, REPEATED_UPGRADE_MS);
    const { generateId } = this.engine;
    this.engine.generateId = (request: IncomingMessage) =>
      this.#arrivals.of(request)?.sid ?? generateId.call(this.engine, request);
    this.#listeners = new SessionListeners((conn) => this.sessionOf(conn));
    const door = this;
    this.#onClose = function onClose(this: EngineSocket): void {
      door.#forget(this);
    };
    this.engine.on("connection", (conn: EngineSocket) => this.#onConnection(conn));
    this.engine.on("flush", (conn: EngineSocket, packets: readonly unknown[]) =>
      this.sessionOf(conn)?.outbound.passOn(packets.length),
    );
    this.engine.on("drain", (conn: EngineSocket) => this.sessionOf(conn)?.outbound.passedOn());
    // What Engine.IO refuses never becomes a connection, and an answer that waits behind another one may never close.
    this.engine.on("connection_error", ({ req }: { req: IncomingMessage }) => this.#arrivals.drop(req));
  }

  /** The session of a connection that Engine.IO has announced. */
  sessionOf(conn: EngineSocket): EngineSession | undefined {
    return this.#byConnection.get(conn);
  }

  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    allowCrossOrigin(request, response);
    if (request.method === "OPTIONS") {
      response.writeHead(204).end();
      return;
    }
    const answer: Answer = (refusal) => sendProblem(response, refusal);
    if (Number(request.headers["content-length"] ?? 0) > LIMITS.maxPayloadBytes) {
      // Engine.IO would say 413 without a word; the rest of the body is not waited for.
      response.shouldKeepAlive = false;
      answer(refuse("payload_too_large"));
      return;
    }
    this.#admit(request, response, answer, () => this.engine.handleRequest(request, response));
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const answer: Answer = (refusal) => {
      socket.on("error", destroy);
      socket.end(rawProblemResponse(refusal), () => socket.destroy());
    };
    this.#admit(
      request,
      socket,
      answer,
      () => void this.#passUpgrade(request, socket, head),
      () => this.#closeUpgrade(request, socket, head),
    );
  }

  /** Engine.IO's answer and its first packet are one write. A fault of one upgrade ends that one, and is logged as unseen. */
  async #passUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      this.#upgrade(request, socket, head);
    } catch (error) {
      socket.destroy();
      this.#arrivals.drop(request);
      throw error;
    }
    // Engine.IO waits for the name of the connection, which is there at once.
    await undefined;
    socket.uncork();
    // What became no connection in this turn, of what Engine.IO or ws refused without a word, never will.
    if (this.#arrivals.of(request) !== undefined) setImmediate(() => this.#arrivals.drop(request));
  }

  /** From now on new connections are turned away. Resolves when the last one is gone, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#isClosing = true;
    this.#arrivals.close();
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
  }

  /** `carrier`: the response of a request, or the TCP connection of an upgrade, which `closeRepeated` ends where the session has one. */
  #admit(
    request: IncomingMessage,
    carrier: ServerResponse | Duplex,
    answer: Answer,
    pass: () => void,
    closeRepeated?: () => void,
  ): void {
    const tcp = carrier instanceof ServerResponse ? undefined : carrier;
    const query = queryOf(request);
    const { sid } = query;
    if (Array.isArray(sid)) {
      answer(refuse("invalid_request", "send one sid, not several"));
      return;
    }
    const whence: Whence = {
      origin: originHeader(request.headers),
      ip: this.#options.addressOf(request),
    };
    // Scripts of other sites cannot read an answer, but they could load one as a script.
    if ("j" in query) {
      answer(refuse("invalid_request", "there is no JSONP here"));
      return;
    }
    const isSpoken = lastOf(query.EIO) === "4";
    const isCarried = lastOf(query["transport"]) === (tcp === undefined ? "polling" : "websocket");
    // Engine.IO would find out when it has answered 101 already, and leave the end of the connection to the client.
    if (tcp !== undefined && !(isSpoken && isCarried)) {
      answer(refuse("invalid_request", "this is Engine.IO 4 over WebSocket: EIO=4&transport=websocket"));
      return;
    }
    giveQuery(request, query);
    if (sid !== undefined && sid !== "") {
      this.#admitLater(request, carrier, { sid, whence }, { answer, pass, closeRepeated });
      return;
    }
    if (this.#isClosing) {
      answer(refuseStopping(this.#sessions.size));
      return;
    }
    // What Engine.IO is going to refuse needs no place.
    if (!isSpoken || !isCarried || request.method !== "GET") {
      pass();
      return;
    }
    const overloaded = connectionRefusal(this.#options.overload);
    if (overloaded !== undefined) {
      answer(overloaded);
      return;
    }
    const presented = presentedKey({
      rawHeaders: request.rawHeaders,
      inQuery: this.#options.apiKeyInQuery ? valuesOf(query["apikey"]) : undefined,
    });
    this.#arrivals.enter(request, { whence, presented, tcp, carrier }, pass, () =>
      answer(refuse("too_many_connections", undefined, 1_000)),
    );
  }

  /** A poll, a POST or an upgrade of a session that should be here. */
  #admitLater(
    request: IncomingMessage,
    carrier: ServerResponse | Duplex,
    { sid, whence }: { readonly sid: string; readonly whence: Whence },
    { answer, pass, closeRepeated }: Ways,
  ): void {
    const tcp = carrier instanceof ServerResponse ? undefined : carrier;
    const session = this.#sessions.get(sid);
    if (session === undefined) {
      answer(refuse("invalid_request", "this session is not known here"));
      return;
    }
    const isPoll = request.method === "GET" && tcp === undefined;
    const refusal = checkLater(this.#options.gate, session, { isPoll, whence, tcp });
    if (refusal !== undefined) {
      answer(refusal);
      return;
    }
    if (session.state === "connected") this.#options.prove(request.socket, session.identity?.key?.id);
    if (!(carrier instanceof ServerResponse)) {
      if (!mayUpgrade(session.conn)) {
        closeRepeated?.();
        return;
      }
      session.carry(carrier);
    } else if (isPoll) {
      session.take(new OpenPoll(request, carrier), pass);
      return;
    } else if (!session.isEnding && request.method === "POST") {
      if (takePost(session, request, carrier, answer)) return;
    } else if (session.isEnding) {
      // Refused, it would give up before it has fetched why; handed on, its body would be kept.
      carrier.writeHead(200, { "content-type": "text/html" }).end("ok");
      return;
    }
    pass();
  }

  #forget(conn: EngineSocket): void {
    const session = this.sessionOf(conn);
    if (session === undefined) return;
    this.#sessions.delete(session.sid);
    this.#byConnection.delete(conn);
    session.dispose();
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  #onConnection(conn: EngineSocket): void {
    const arrival = this.#arrivals.take(conn.request);
    if (arrival === undefined) {
      conn.close(true);
      return;
    }
    const session = new EngineSession({
      conn,
      sid: arrival.sid,
      whence: arrival.whence,
      addressGroup: arrival.group,
      slot: arrival.slot,
      presented: arrival.presented,
      tcp: arrival.tcp,
      // Waiting for a place counts, down to what a client on a slow line needs.
      connectTimeoutMs: Math.max(
        Math.ceil(this.#options.connectTimeoutMs - arrival.waitedMs),
        Math.min(MIN_CONNECT_MS, this.#options.connectTimeoutMs),
      ),
      outbound: this.#options.outbound,
      reading: this.#options.reading,
    });
    conn.request = firstRequest;
    this.#sessions.set(arrival.sid, session);
    this.#byConnection.set(conn, session);
    this.#listeners.listen(conn);
    conn.on("close", this.#onClose);
  }
}

function destroy(this: Duplex): void {
  this.destroy();
}
