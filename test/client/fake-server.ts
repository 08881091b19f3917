import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";

type Received = { readonly connection: number; readonly event: string; readonly payload: unknown };
type Refusal = { readonly code: string; readonly message: string; readonly status: number };

/** Speaks the wire's contract with the real Socket.IO server, as the test tells it. */
export class FakeServer {
  readonly received: Received[] = [];
  readonly sockets: Socket[] = [];
  /** The `auth` of every CONNECT, refused ones included. */
  readonly handshakes: Record<string, unknown>[] = [];
  /** Refuses a CONNECT when it returns something. */
  refusal: () => Refusal | undefined = () => undefined;
  /** Answers an event; `undefined` leaves it unanswered. */
  answer: (event: string, payload: unknown) => unknown = accept;
  readonly url: string;
  readonly #http: HttpServer;
  readonly #io: Server;
  #watchers: (() => void)[] = [];

  private constructor(http: HttpServer, port: number) {
    this.#http = http;
    this.url = `http://127.0.0.1:${port}`;
    this.#io = new Server(http, { path: "/realtime/" });
    this.#io.use((socket, next) => {
      this.handshakes.push({ ...socket.handshake.auth });
      const refusal = this.refusal();
      this.#changed();
      if (refusal === undefined) return next();
      socket.conn.once("drain", () => socket.conn.close());
      next(Object.assign(new Error(refusal.message), { data: refusal }));
    });
    this.#io.on("connection", (socket) => this.#serve(socket));
  }

  static async start(port = 0): Promise<FakeServer> {
    const http = createServer();
    http.listen(port, "127.0.0.1");
    await once(http, "listening");
    return new FakeServer(http, addressOf(http).port);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** The latest connection. */
  get socket(): Socket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nobody is connected");
    return socket;
  }

  /** What arrived over the nth connection (from 0), as `event` or `event channel`. */
  heard(connection: number): string[] {
    return this.received
      .filter((each) => each.connection === connection)
      .map(({ event, payload }) =>
        `${event} ${textOf(payload, "channel")}${textOf(payload, "eventName")}`.trim(),
      );
  }

  /** Resolves as soon as it holds; looked at again whenever something arrives. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** Lose the connection as a network does. */
  cut(): void {
    this.socket.conn.close();
  }

  async close(): Promise<void> {
    await this.#io.close();
    this.#http.closeAllConnections();
  }

  #serve(socket: Socket): void {
    const connection = this.sockets.push(socket) - 1;
    socket.emit("connection:ready", {
      id: socket.id,
      clientId: `client-${connection}`,
      resume: `resume-${connection}`,
      timestamp: Date.now(),
    });
    socket.onAny((event: string, payload: unknown, ack: unknown) => {
      this.received.push({ connection, event, payload });
      const answer = this.answer(event, payload);
      if (typeof ack === "function" && answer !== undefined) ack(answer);
      this.#changed();
    });
    this.#changed();
  }

  #changed(): void {
    for (const wake of this.#watchers.splice(0)) wake();
  }
}

export function accept(event: string, payload: unknown): unknown {
  if (event === "join") {
    return { ok: true, channel: textOf(payload, "channel"), epoch: "e1", offset: 0, recovered: false };
  }
  if (event === "message") return { ok: true, id: "m1", epoch: "e1", offset: 1 };
  if (event === "members") {
    return { ok: true, members: [{ id: "a", clientId: "b", data: { name: "Ada" } }], count: 1, next: null };
  }
  return { ok: true };
}

export function refuseWith(code: string, afterMs?: number): unknown {
  const error = { code, message: `because ${code}` };
  return { ok: false, error: afterMs === undefined ? error : { ...error, afterMs } };
}

/** The next value that a listener gets. */
export function next<T>(listen: (fn: (value: T) => void) => () => void): Promise<T> {
  return new Promise((resolve) => {
    const off = listen((value) => {
      off();
      resolve(value);
    });
  });
}

export function textOf(payload: unknown, field: string): string {
  if (typeof payload !== "object" || payload === null) return "";
  const value: unknown = Reflect.get(payload, field);
  return typeof value === "string" ? value : "";
}

export function addressOf(server: HttpServer): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return address;
}
