import { Duplex } from "node:stream";
import { Server as Engine, Socket as EngineSocket, transports } from "engine.io";
import type { Namespace } from "socket.io";
import { call, fieldOf } from "./engine-fields.ts";
import { createEncoder, type PacketOptions, wireOf } from "./engine-seam.ts";
import { frameOf } from "./packet-frame.ts";

/** Why the fast path cannot be used with the packages as they are installed; undefined when it can. */
export function seamFault(namespace: Namespace): string | undefined {
  const taken = new Taken();
  let webSocket: object | undefined;
  let conn: EngineSocket | undefined;
  try {
    const [text, ...attachments] = createEncoder(namespace)("e", { a: 1, b: Buffer.from("x") });
    if (text !== '51-["e",{"a":1,"b":{"_placeholder":true,"num":0}}]' || attachments.length !== 1)
      return "socket.io: Encoder.encode writes events in another way";

    const options = fieldOf(fieldOf(namespace.server, "engine"), "opts");
    if (typeof options !== "object" || fieldOf(options, "perMessageDeflate"))
      return "engine.io: it compresses, or its options have changed";
    const engine = new Engine({ perMessageDeflate: false });
    webSocket = openWebSocket(engine, taken);
    const request = { _query: { EIO: "4" }, websocket: webSocket, headers: {}, connection: {} };
    const transport: unknown = Reflect.construct(transports.websocket, [request]);
    const probe: unknown = Reflect.construct(EngineSocket, ["probe", engine, transport, request, 4]);
    if (!(probe instanceof EngineSocket)) return "engine.io: Socket has changed";
    conn = probe;
    return tryOut(conn, taken);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    conn?.close(true);
    call(webSocket, "terminate");
    taken.destroy();
  }
}

/** Send on the probe and look where everything goes. Its `open` packet is still being written. */
function tryOut(conn: EngineSocket, taken: Taken): string | undefined {
  const wire = wireOf(conn);
  if (wire === undefined) return "engine.io or ws: the fields of a connection have changed";
  if (conn.transport.writable || wire.isIdle)
    return "engine.io: a transport that writes calls itself writable";
  const queued: number[] = [];
  conn.once("packetCreate", () => queued.push(lengthOf(fieldOf(conn, "writeBuffer"))));
  const frame = frameOf(["2x"]);
  const options: PacketOptions = { compress: false, wsPreEncodedFrame: [frame] };
  conn.write("2x", options);
  queued.push(lengthOf(fieldOf(conn, "writeBuffer")));
  if (queued.join() !== "0,1") return "engine.io: packetCreate no longer comes before its packet is queued";
  taken.clear();
  // What engine.io does when the transport is ready again.
  conn.transport.writable = true;
  call(conn, "flush");
  if (!taken.bytes.equals(frame)) return "engine.io: packets are no longer sent by their wsPreEncodedFrame";
  conn.transport.writable = true;
  if (!wire.isIdle) return "engine.io or ws: an idle connection does not look idle";
  taken.clear();
  wire.write(frame);
  conn.transport.writable = true;
  conn.write("2x");
  if (!wire.isInOrder) return "engine.io or ws: a packet that was sent looks queued";
  wire.write(frame);
  return taken.bytes.equals(Buffer.concat([frame, frame, frame]))
    ? undefined
    : "ws: frames are written in another way";
}

/** A TCP connection that keeps what is written. */
class Taken extends Duplex {
  bytes = Buffer.alloc(0);

  clear(): void {
    this.bytes = Buffer.alloc(0);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    done();
  }
}

function openWebSocket(engine: Engine, tcp: Duplex): object {
  const WebSocketClass = fieldOf(fieldOf(fieldOf(engine, "ws"), "options"), "WebSocket");
  if (typeof WebSocketClass !== "function")
    throw new TypeError("engine.io: its WebSocket server has changed");
  const webSocket: unknown = Reflect.construct(WebSocketClass, [null, undefined, {}]);
  if (typeof webSocket !== "object" || webSocket === null) throw new TypeError("ws: WebSocket has changed");
  call(webSocket, "setSocket", tcp, Buffer.alloc(0), {});
  return webSocket;
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : -1;
}
