import { Manager, type Socket } from "socket.io-client";
import { type Cancel, callAfter } from "./timer.ts";
import type { TransportName } from "./transport-order.ts";

export type AttemptOptions = {
  readonly origin: string;
  readonly path: string;
  /** In the order in which they are tried. */
  readonly transports: readonly TransportName[];
  readonly auth: Readonly<Record<string, unknown>>;
  /** How long until something opens, or until the server has answered. */
  readonly connectTimeoutMs: number;
};

export type AttemptEvents = {
  readonly event: (name: string, payload: unknown) => void;
  /** It did not become a connection. `isSilent`: nothing opened and nothing failed. */
  readonly failed: (error: Error, isSilent: boolean) => void;
  /** It was one, or nearly, and is over. `byServer`: the server left the namespace without a word. */
  readonly closed: (reason: string, byServer: boolean) => void;
  /** The transport has changed for a better one. */
  readonly upgraded: (name: TransportName) => void;
};

/**
 * One try to connect, and the connection that comes of it: a Socket.IO manager and socket of its own, so that nothing of an earlier
 * try (a buffer, a late packet, a timer) belongs to a later one. It reports its end once, and nothing after `end`.
 */
export class Attempt {
  readonly #manager: Manager;
  readonly #socket: Socket;
  readonly #events: AttemptEvents;
  #cancelDeadline: Cancel;
  #isOver = false;
  #hasOpened = false;
  #maxPayloadBytes: number | undefined;
  #heardAtMs = performance.now();

  constructor(options: AttemptOptions, events: AttemptEvents) {
    this.#events = events;
    this.#manager = new Manager(options.origin, {
      path: options.path,
      transports: [...options.transports],
      tryAllTransports: true,
      autoConnect: false,
      reconnection: false,
      // Its own deadline would report an end twice.
      timeout: 2 * options.connectTimeoutMs,
    });
    this.#socket = this.#manager.socket("/", { auth: options.auth });
    this.#socket.on("connect_error", (error) => this.#fail(error, false));
    this.#socket.on("disconnect", (reason) => this.#close(reason));
    this.#socket.onAny((name: string, payload: unknown) => {
      if (!this.#isOver) events.event(name, payload);
    });
    this.#cancelDeadline = callAfter(options.connectTimeoutMs, () =>
      this.#fail(new Error("the server did not answer in time"), !this.#hasOpened),
    );
    this.#manager.on("open", () => {
      this.#hasOpened = true;
    });
    this.#socket.connect();
    this.#watchEngine();
  }

  get id(): string | undefined {
    return this.#socket.id;
  }

  get transport(): TransportName {
    return this.#manager.engine.transport.name === "polling" ? "polling" : "websocket";
  }

  /** What one packet may have; undefined before the server has said so. */
  get maxPayloadBytes(): number | undefined {
    return this.#maxPayloadBytes;
  }

  /** Since the last packet of the server, in ms. */
  get silentMs(): number {
    return performance.now() - this.#heardAtMs;
  }

  /** The server has said that it is ready: the deadline ends. */
  accept(): void {
    this.#cancelDeadline();
  }

  emit(event: string, payload: unknown, onAnswer: (answer: unknown) => void): void {
    this.#socket.emit(event, payload, (answer: unknown) => {
      if (!this.#isOver) onAnswer(answer);
    });
  }

  /** Ends it, whatever it has become; nothing of it is reported any more. */
  end(): void {
    this.#isOver = true;
    this.#cancelDeadline();
    this.#socket.disconnect();
    // A try that has not opened yet has no namespace to leave.
    this.#manager.engine.close();
  }

  #watchEngine(): void {
    const { engine } = this.#manager;
    engine.on("packet", () => {
      this.#heardAtMs = performance.now();
    });
    engine.on("handshake", (handshake: { readonly maxPayload?: unknown }) => {
      const { maxPayload } = handshake;
      if (typeof maxPayload === "number" && maxPayload > 0) this.#maxPayloadBytes = maxPayload;
    });
    engine.on("upgrade", () => {
      if (!this.#isOver) this.#events.upgraded(this.transport);
    });
  }

  #fail(error: Error, isSilent: boolean): void {
    if (this.#isOver) return;
    this.end();
    this.#events.failed(error, isSilent);
  }

  #close(reason: string): void {
    if (this.#isOver) return;
    this.end();
    this.#events.closed(reason, reason === "io server disconnect");
  }
}
