import type { Server as Engine, Socket as EngineSocket, Transport } from "engine.io";
import { LIMITS, type Refusal, refuse } from "../../protocol/index.ts";
import { connectError } from "./connect-packet.ts";
import { apply, call, fieldOf } from "./engine-fields.ts";

/** What one WebSocket message may be made of: its bytes, its frames, and the pieces of a frame that the network made. */
export type MessageBounds = { readonly bytes: number; readonly fragments: number; readonly chunks: number };

/** Before CONNECT was accepted. A piece costs about 200 bytes of memory beside its content. */
const PENDING_BOUNDS: MessageBounds = { bytes: LIMITS.maxPendingPayloadBytes, fragments: 64, chunks: 512 };

/** Afterwards: pieces of 64 bytes on average, frames of 256. */
const CONNECTED_BOUNDS: MessageBounds = {
  bytes: LIMITS.maxPayloadBytes,
  fragments: 4 * 1024,
  chunks: 16 * 1024,
};

/** RFC 6455: a message is too big to process. */
const TOO_BIG = 1009;

/** Why a packet before CONNECT was not read. */
export const PENDING_TOO_LARGE: Refusal = refuse(
  "payload_too_large",
  `before CONNECT is accepted, a packet has at most ${LIMITS.maxPendingPayloadBytes} bytes`,
);

/** What is read of a WebSocket, as ws has it. */
type SentBy = {
  readonly _receiver: object | undefined;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  pong(...args: readonly unknown[]): void;
};
type WebSocketClass = new (...args: readonly unknown[]) => SentBy;

/**
 * Every WebSocket of this engine begins with the bounds of one that is not connected: those of its first bytes, which
 * may come along with the upgrade. Says why it closes, and answers at most one ping in a turn of the event loop.
 */
export function boundWebSockets(engine: Engine): void {
  const options = fieldOf(fieldOf(engine, "ws"), "options");
  if (typeof options !== "object" || options === null) return;
  Reflect.set(options, "maxPayload", PENDING_BOUNDS.bytes);
  Reflect.set(options, "maxFragments", PENDING_BOUNDS.fragments);
  Reflect.set(options, "maxBufferedChunks", PENDING_BOUNDS.chunks);
  const WebSocketOfEngine = fieldOf(options, "WebSocket");
  if (isWebSocketClass(WebSocketOfEngine)) Reflect.set(options, "WebSocket", boundedClass(WebSocketOfEngine));
}

function boundedClass(Base: WebSocketClass): WebSocketClass {
  return class BoundedWebSocket extends Base {
    /** Of a ping that waits for the end of the turn; absent while none does. */
    declare latestPing: readonly unknown[] | undefined;

    override close(code?: number, reason?: string): void {
      if (code !== TOO_BIG || reason !== undefined) {
        super.close(code, reason);
        return;
      }
      if (fieldOf(this._receiver, "_maxPayload") === PENDING_BOUNDS.bytes)
        this.send(`4${connectError(PENDING_TOO_LARGE)}`);
      super.close(code, "payload_too_large");
    }

    /** Of several pings the last is answered (RFC 6455, section 5.5.3): 64 KiB of them are 10,000 writes otherwise. */
    override pong(...args: readonly unknown[]): void {
      const isFirst = this.latestPing === undefined;
      const [, , done] = this.latestPing ?? [];
      this.latestPing = args;
      // ws counts the pongs that are under way.
      apply(done, this, []);
      if (!isFirst) return;
      setImmediate(() => {
        const latest = this.latestPing ?? [];
        this.latestPing = undefined;
        super.pong(...latest);
      });
    }
  };
}

/** Lets packets be as large as any payload, because CONNECT was accepted. */
export function allowLargeMessages({ transport }: EngineSocket): void {
  const receiver = fieldOf(fieldOf(transport, "socket"), "_receiver");
  if (typeof receiver !== "object" || receiver === null) return;
  Reflect.set(receiver, "_maxPayload", CONNECTED_BOUNDS.bytes);
  Reflect.set(receiver, "_maxFragments", CONNECTED_BOUNDS.fragments);
  Reflect.set(receiver, "_maxBufferedChunks", CONNECTED_BOUNDS.chunks);
}

/** Nothing more is read from the WebSocket of this transport, for now. What was read already still comes. */
export function pauseReading(transport: Transport): void {
  call(webSocketOf(transport), "pause");
}

export function resumeReading(transport: Transport): void {
  call(webSocketOf(transport), "resume");
}

/** Hands a poller's payload on, or whole packets of it. @returns whether there is a way */
export function handOnPayload(transport: Transport, part: string): boolean {
  const onData = fieldOf(transport, "onData");
  if (typeof onData !== "function") return false;
  Reflect.apply(onData, transport, [part]);
  return true;
}

/** A client that is not read cannot be late with its pong. */
export function forgivePong(conn: EngineSocket): void {
  const timer = fieldOf(conn, "pingTimeoutTimer");
  if (typeof timer === "object" && timer !== null && "refresh" in timer) call(timer, "refresh");
}

/**
 * Takes what Socket.IO does with each packet out of the hands of engine.io, so that the session can do it when there
 * is room. Undefined where nobody listens, or several do: then each packet is handed on at once, by engine.io.
 */
export function takeDataListener(conn: EngineSocket): ((data: unknown) => void) | undefined {
  const [listener, ...others] = conn.listeners("data");
  if (listener === undefined || others.length > 0) return undefined;
  conn.removeAllListeners("data");
  return (data) => apply(listener, conn, [data]);
}

function webSocketOf(transport: Transport): object | undefined {
  const socket = fieldOf(transport, "socket");
  return typeof socket === "object" && socket !== null ? socket : undefined;
}

function isWebSocketClass(value: unknown): value is WebSocketClass {
  return typeof value === "function" && typeof fieldOf(value.prototype, "pong") === "function";
}
