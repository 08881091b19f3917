/**
 * What is touched of engine.io, ws and socket.io that they do not document: what is written here, what is read in `engine-reading.ts`.
 *
 * | package | what | used for |
 * | --- | --- | --- |
 * | engine.io 6 | `Socket.writeBuffer`, `Socket.upgrading` | is anything else queued? |
 * | engine.io 6 | `transports.websocket`: `socket` | the WebSocket under a transport |
 * | engine.io 6 | `packetCreate` comes before a packet is queued | what was held back goes first |
 * | engine.io 6 | a request that has a `_query` already keeps it | the URL is parsed once |
 * | engine.io 6 | the packet option `wsPreEncodedFrame` | one frame for all who take the ordinary path |
 * | engine.io 6 | `Server.verify`, `Server.ws`, `Server.onWebSocket` | an upgrade without the response that its middlewares would get |
 * | engine.io 6 | `opts.perMessageDeflate` is off | ws writes what it is given at once: its sender never has a queue |
 * | ws 8 | `WebSocket._socket` | the TCP connection |
 * | engine.io 6 | a transport that is not `writable` makes `Socket` queue packets until its `flush` | several packets in one answer to a poll |
 * | engine.io 6 | the polling transport's `closeTimeout` | how long the end waits for a next poll |
 * | engine.io 6 | `Socket.request` is not needed once CONNECT went through | what is not kept |
 * | socket.io 4 | `Server.encoder`, and that an event is packet type 2 | the text and attachments of an event |
 * | engine.io 6 | `Server.ws`: its `options.maxPayload`, `options.maxFragments`, `options.maxBufferedChunks`, `options.WebSocket` | what a WebSocket may send before CONNECT |
 * | ws 8 | `WebSocket._receiver`: `_maxPayload`, `_maxFragments`, `_maxBufferedChunks` | what it may send after CONNECT |
 * | ws 8 | `WebSocket.close` with 1009 ends a message that is too long; `WebSocket.pong` answers a ping | the reason is said; one pong a turn |
 * | ws 8 | `WebSocket.pause`, `WebSocket.resume` (documented) under a transport | nothing more is read for now |
 * | engine.io 6 | `Polling.onData` takes a payload, or a part of one | a long payload is handed on in parts |
 * | engine.io 6 | `Socket.pingTimeoutTimer` | who is not read is not late with its pong |
 * | socket.io 4 | one listener for `data` of its engine connection | packets are handed on when there is room |
 *
 * `seamFault` tries all of it out at start, on a connection that is never anyone's; what another version
 * changed is named there, and the server fans out over Socket.IO's rooms instead.
 */
import type { IncomingMessage } from "node:http";
import type { ParsedUrlQuery } from "node:querystring";
import { Duplex } from "node:stream";
import type { Server as Engine, Socket as EngineSocket, Transport } from "engine.io";
import type { Namespace } from "socket.io";
import { apply, call, fieldOf } from "./engine-fields.ts";
import { lastOf } from "./handshake-query.ts";
import { writeJoined } from "./joined-write.ts";

declare module "node:http" {
  interface IncomingMessage {
    _query?: Record<string, string | undefined>;
  }
}

type WebSocket = { readonly readyState: number; readonly _socket: Duplex };
type Queue = { readonly writeBuffer: readonly unknown[]; readonly upgrading: boolean };

/** Of ws: the WebSocket is open. */
const OPEN = 1;

/** Of socket.io-parser. */
const EVENT = 2;

/** What an ordinary packet is sent with: engine.io takes the frame as it is. */
export type PacketOptions = { compress: boolean; readonly wsPreEncodedFrame: readonly Buffer[] };

/** The WebSocket transport of a connection, down to its TCP connection. */
export class Wire {
  readonly transport: Transport;
  readonly #conn: EngineSocket;
  readonly #queue: Queue;
  readonly #webSocket: WebSocket;
  readonly #tcp: Duplex;

  constructor(conn: EngineSocket, queue: Queue, webSocket: WebSocket) {
    this.transport = conn.transport;
    this.#conn = conn;
    this.#queue = queue;
    this.#webSocket = webSocket;
    this.#tcp = webSocket._socket;
  }

  /** Nothing is queued anywhere: bytes written now come after all that was sent, and before all that will be. */
  get isIdle(): boolean {
    return this.transport.writable && this.#tcp.writableLength === 0 && this.isInOrder;
  }

  /** The same, although what was sent last may still be on its way. */
  get isInOrder(): boolean {
    return (
      this.#queue.writeBuffer.length === 0 &&
      !this.#queue.upgrading &&
      this.#tcp.writable &&
      this.#webSocket.readyState === OPEN &&
      this.#conn.readyState === "open"
    );
  }

  /** Not all that was written is with the system. */
  get isBehind(): boolean {
    return this.#tcp.writableLength > 0;
  }

  /** Whole frames. The buffer may be shared: nobody changes it. */
  write(frames: Buffer): void {
    this.#tcp.write(frames);
  }

  /** Whole frames, one after the other in one write. */
  writeJoined(parts: readonly { readonly frame: Buffer }[]): void {
    writeJoined(this.#tcp, parts);
  }
}

/** What engine.io reads instead of the query of the URL: its own fields, of each the last value, as it would have them. */
export function giveQuery(
  request: IncomingMessage,
  { EIO, transport, sid, b64 }: Readonly<ParsedUrlQuery>,
): void {
  request._query = { EIO: lastOf(EIO), transport: lastOf(transport), sid: lastOf(sid), b64: lastOf(b64) };
}

/** Others are upgraded already, or are being upgraded, or were WebSockets from the beginning. */
export function mayUpgrade(conn: EngineSocket): boolean {
  return conn.transport.name === "polling" && fieldOf(conn, "upgrading") !== true;
}

/** It may leave the TCP connection corked; what follows in the turn is written when the caller uncorks it. */
export type Upgrade = (request: IncomingMessage, tcp: Duplex, head: Buffer) => void;

/**
 * What engine.io does with an upgrade, without the response that it makes for its middlewares (here are none) and keeps with
 * the request for as long as the connection lives. What it refuses, and what another version does otherwise, goes its own way.
 */
export function lightUpgrade(engine: Engine): Upgrade {
  const webSockets = fieldOf(engine, "ws");
  const verify = fieldOf(engine, "verify");
  const handleUpgrade = fieldOf(webSockets, "handleUpgrade");
  const onWebSocket = fieldOf(engine, "onWebSocket");
  const isAsKnown = [verify, handleUpgrade, onWebSocket].every((method) => typeof method === "function");
  if (!isAsKnown) return (request, tcp, head) => engine.handleUpgrade(request, tcp, head);
  return (request, tcp, head) => {
    let isVerified = false;
    const verified = (fault?: unknown): void => {
      isVerified = fault === undefined;
    };
    apply(verify, engine, [request, true, verified]);
    if (!isVerified) {
      engine.handleUpgrade(request, tcp, head);
      return;
    }
    tcp.cork();
    const opened = (webSocket: unknown): void => apply(onWebSocket, engine, [request, tcp, webSocket]);
    apply(handleUpgrade, webSockets, [request, tcp, head, opened]);
  };
}

/**
 * Answers an upgrade of a session that has its WebSocket with 101 and closes it, as Engine.IO's protocol has it. ws would then wait half a minute
 * for the client's farewell: the TCP connection is destroyed after `waitMs`.
 */
export function closeUpgrade(engine: Engine, waitMs: number): Upgrade {
  const webSockets = fieldOf(engine, "ws");
  const handleUpgrade = fieldOf(webSockets, "handleUpgrade");
  return (request, tcp, head) => {
    const timer = setTimeout(() => tcp.destroy(), waitMs);
    tcp.once("close", () => clearTimeout(timer));
    if (typeof handleUpgrade !== "function") {
      tcp.destroy();
      return;
    }
    const opened = (webSocket: unknown): void => {
      if (typeof webSocket !== "object" || webSocket === null) return;
      call(webSocket, "on", "error", () => tcp.destroy());
      call(webSocket, "close");
    };
    apply(handleUpgrade, webSockets, [request, tcp, head, opened]);
  };
}

/** The way to write past engine.io; none while the connection polls, or when it is not as expected. */
export function wireOf(conn: EngineSocket): Wire | undefined {
  const { transport } = conn;
  if (transport.name !== "websocket" || transport.protocol !== 4) return undefined;
  const fields: object = transport;
  if (!("supportsBinary" in fields) || fields.supportsBinary !== true || !("socket" in fields))
    return undefined;
  const { socket } = fields;
  return isQueue(conn) && isWebSocket(socket) ? new Wire(conn, conn, socket) : undefined;
}

/** How long the end of a poller waits for its next poll, which may never come. */
export function closeWithin({ transport }: EngineSocket, waitMs: number): void {
  if ("closeTimeout" in transport) transport.closeTimeout = waitMs;
}

/** What `send` sends to one who polls is one answer; where another version has no `flush`, it waits for the next packet. */
export function inOneAnswer(conn: EngineSocket, send: () => void): void {
  const { transport } = conn;
  if (transport.name !== "polling" || !transport.writable) {
    send();
    return;
  }
  transport.writable = false;
  try {
    send();
  } finally {
    transport.writable = true;
    call(conn, "flush");
  }
}

/** How Socket.IO writes an event of the root namespace: its text, then its attachments. */
export function createEncoder(
  namespace: Namespace,
): (eventName: string, payload: unknown) => readonly unknown[] {
  const encoder: unknown = fieldOf(namespace.server, "encoder");
  const encode = fieldOf(encoder, "encode");
  if (typeof encode !== "function") throw new TypeError("socket.io: Server.encoder has changed");
  return (eventName, payload) => {
    const packets: unknown = Reflect.apply(encode, encoder, [
      { type: EVENT, nsp: "/", data: [eventName, payload] },
    ]);
    if (!Array.isArray(packets)) throw new TypeError("socket.io: Encoder.encode has changed");
    return packets;
  };
}

function isQueue(value: object): value is Queue {
  return (
    "writeBuffer" in value &&
    Array.isArray(value.writeBuffer) &&
    "upgrading" in value &&
    typeof value.upgrading === "boolean"
  );
}

function isWebSocket(value: unknown): value is WebSocket {
  if (typeof value !== "object" || value === null || !("readyState" in value) || !("_socket" in value))
    return false;
  return typeof value.readyState === "number" && value._socket instanceof Duplex;
}
