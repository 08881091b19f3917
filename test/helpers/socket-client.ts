import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { toRecord } from "./record.ts";

type Options = Partial<ManagerOptions & SocketOptions>;
type Received = { event: string; payload: unknown };

/** What a wait may take before the test fails and says what came instead. */
const WAIT_MS = 20_000;

/** An unmodified socket.io-client that loses no event: everything is kept until a test asks for it. */
export class SocketClient {
  readonly socket: Socket;
  readonly #received: Received[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(url: string, auth: object | undefined, options: Options = {}) {
    this.socket = io(url, {
      path: "/realtime/",
      reconnection: false,
      forceNew: true,
      transports: ["websocket"],
      ...(auth === undefined ? {} : { auth }),
      ...options,
    });
    this.socket.onAny((event: string, payload: unknown) => this.#take(event, payload));
    this.socket.on("connect_error", (error) => this.#take("connect_error", error));
    this.socket.on("disconnect", (reason) => this.#take("disconnect", reason));
    this.socket.io.engine?.on("close", (reason) => this.#take("engine:close", reason));
  }

  /** The next event of this name that has not been taken yet. */
  async next(
    event: string,
    matches: (payload: unknown) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    const payload = await this.#wait(event, matches);
    return toRecord(payload);
  }

  async ready(): Promise<this> {
    await this.next("connection:ready");
    return this;
  }

  /** Why the server refused the connection: `err.data`. */
  async refusal(): Promise<Record<string, unknown>> {
    const error = await this.#wait("connect_error", () => true);
    if (
      !(error instanceof Error) ||
      !("data" in error) ||
      typeof error.data !== "object" ||
      error.data === null
    ) {
      throw new Error(`not a refusal of the server: ${String(error)}`);
    }
    return toRecord(error.data);
  }

  /** Send and wait for the acknowledgement. */
  async request(event: string, payload: unknown): Promise<Record<string, unknown>> {
    const answer: unknown = await this.socket.timeout(WAIT_MS).emitWithAck(event, payload);
    return toRecord(answer);
  }

  /** What has come and has not been taken, by name. */
  pending(event: string): unknown[] {
    return this.#received.filter((one) => one.event === event).map((one) => one.payload);
  }

  /** A round trip: whatever the server sent before it has arrived. */
  async settle(): Promise<void> {
    await this.request("members", { channel: "settle" });
  }

  close(): void {
    this.socket.disconnect();
  }

  #take(event: string, payload: unknown): void {
    this.#received.push({ event, payload });
    for (const wake of this.#waiting) wake();
  }

  #wait(event: string, matches: (payload: unknown) => boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const at = this.#received.findIndex((one) => one.event === event && matches(one.payload));
        if (at === -1) return;
        const [found] = this.#received.splice(at, 1);
        done();
        resolve(found?.payload);
      };
      const timer = setTimeout(() => {
        done();
        const came = this.#received.map((one) => `${one.event} ${JSON.stringify(one.payload)}`).join("\n  ");
        reject(new Error(`no "${event}" came; what came:\n  ${came}`));
      }, WAIT_MS);
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
