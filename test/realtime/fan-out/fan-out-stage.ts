import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { Server, type Socket as ServerSocket } from "socket.io";
import { type Socket as ClientSocket, io as connect } from "socket.io-client";
import { createLogger } from "../../../src/observe/log.ts";
import { Slot } from "../../../src/realtime/admission/admission.ts";
import { type NodeFanOut, openFanOut } from "../../../src/realtime/fan-out/fan-out.ts";
import { FastFanOut } from "../../../src/realtime/fan-out/fast-fan-out.ts";
import { Reading } from "../../../src/realtime/flow/reading.ts";
import { UnsentFrames } from "../../../src/realtime/flow/unsent-frames.ts";
import { EngineSession } from "../../../src/realtime/sessions/engine-session.ts";
import { SessionListeners } from "../../../src/realtime/sessions/session-listeners.ts";

export type Player = {
  client: ClientSocket;
  server: ServerSocket;
  heard: unknown[][];
  takeWrites: () => number;
};

/** Socket.IO with nothing of ours but the sessions and a fan-out. */
export class Stage {
  readonly io: Server;
  readonly logged: unknown[] = [];
  readonly unsent = new UnsentFrames(64 * 1024 * 1024);
  readonly #reading = new Reading({
    maxRequestsPerSecond: 20_000,
    maxReceivedBytesPerSecond: 64 * 1024 * 1024,
    maxWaitingBytes: 64 * 1024 * 1024,
  });
  readonly #http: HttpServer = createServer();
  readonly #sessions = new WeakMap<object, EngineSession>();
  readonly #clients: ClientSocket[] = [];

  constructor() {
    this.io = new Server(this.#http);
    const listeners = new SessionListeners((conn) => this.#sessions.get(conn));
    this.io.engine.on("flush", (conn, packets) => this.#sessions.get(conn)?.outbound.passOn(packets.length));
    this.io.engine.on("drain", (conn) => this.#sessions.get(conn)?.outbound.passedOn());
    this.io.engine.on("connection", (conn) => {
      const session = new EngineSession({
        conn,
        sid: "",
        whence: { origin: undefined, ip: null },
        addressGroup: "",
        slot: new Slot(() => {}),
        presented: { secret: undefined },
        tcp: conn.request.socket,
        connectTimeoutMs: 9_000,
        outbound: { maxOutboundBytes: 1024 * 1024, maxUnreadMs: 10_000 },
        reading: this.#reading,
      });
      listeners.listen(conn);
      session.accept();
      conn.once("close", () => session.dispose());
      this.#sessions.set(conn, session);
    });
  }

  fastFanOut(): FastFanOut {
    const fanOut = this.fanOut();
    if (!(fanOut instanceof FastFanOut)) throw new Error("the fan-out is slow");
    return fanOut;
  }

  fanOut(fault?: string): NodeFanOut {
    const log = createLogger("silent");
    log.warn = (fields: unknown) => {
      this.logged.push(fields);
    };
    return openFanOut({
      namespace: this.io.of("/"),
      ownerOf: () => "owner",
      unsent: this.unsent,
      sessionOf: ({ conn }) => this.#sessions.get(conn),
      log,
      onFault: (error) => this.logged.push(error),
      fault,
    });
  }

  async open(): Promise<void> {
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
  }

  /** `takeWrites`: how often its TCP connection was written to since it was asked last. */
  async enter(): Promise<Player> {
    const address = this.#http.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    const client = connect(`http://127.0.0.1:${address.port}`, { transports: ["websocket"], forceNew: true });
    this.#clients.push(client);
    const heard: unknown[][] = [];
    client.onAny((...args: unknown[]) => heard.push(args));
    const [server] = await Promise.all([
      new Promise<ServerSocket>((resolve) => this.io.once("connection", resolve)),
      new Promise<void>((resolve) => client.once("connect", resolve)),
    ]);
    let writes = 0;
    const tcp = server.request.socket;
    const write = tcp.write.bind(tcp);
    Reflect.set(tcp, "write", (...args: Parameters<typeof write>) => {
      writes += 1;
      return write(...args);
    });
    const takeWrites = (): number => {
      const taken = writes;
      writes = 0;
      return taken;
    };
    return { client, server, heard, takeWrites };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.io.close();
    this.#reading.close();
    this.unsent.close();
  }
}

/** Whatever was sent to the client before has come. */
export async function settle({ client, server }: Player): Promise<void> {
  client.once("settle", (acknowledge: () => void) => acknowledge());
  await server.timeout(5_000).emitWithAck("settle");
}

export const endOfTurn = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

export const events = ({ heard }: Player): unknown[] =>
  heard.filter(([name]) => name !== "settle").map(([name, payload]) => [name, payload]);

/** Each write to its TCP connection takes that long, as a thousand would. */
export function slowDown({ server }: Player, writeMs: number): void {
  const tcp = server.request.socket;
  const write = tcp.write.bind(tcp);
  Reflect.set(tcp, "write", (...args: Parameters<typeof write>) => {
    const untilMs = performance.now() + writeMs;
    while (performance.now() < untilMs);
    return write(...args);
  });
}
