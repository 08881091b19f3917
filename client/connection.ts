import { Manager, type Socket } from "socket.io-client";
import { isDuration, parseError } from "./answers.ts";
import type { Settings } from "./options.ts";
import { isRecord, parseJson } from "./record.ts";
import { localError, mayRetry, type SluiceError } from "./result.ts";

/**
 * - `idle`: never opened
 * - `connecting`: on the way, or waiting for the next try
 * - `connected`: the server said `connection:ready`
 * - `closed`: ended for good, by `close()` or by a refusal that trying again does not mend
 */
export type ConnectionState = "idle" | "connecting" | "connected" | "closed";

/** The server's last word, `connection:closing`. `retry`: the client comes back by itself. */
export type Closing = {
  readonly code: string;
  readonly message: string;
  readonly retry: boolean;
  readonly afterMs?: number;
};

export type ConnectionEvents = {
  /** `isSameClient`: the server knows this client from before. */
  readonly ready: (isSameClient: boolean) => void;
  /** The connection is gone and will be tried again. */
  readonly lost: (error: SluiceError) => void;
  /** The connection is gone and stays away. */
  readonly ended: (error: SluiceError, wasConnected: boolean) => void;
  /** A try failed; another follows. */
  readonly failed: (error: SluiceError) => void;
  readonly closing: (closing: Closing) => void;
  readonly event: (name: string, payload: unknown) => void;
};

const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_BACKOFF_MS = 30_000;

/**
 * One Socket.IO connection across its reconnects. socket.io-client retries by itself when the network fails;
 * after a refusal (CONNECT_ERROR) or `connection:closing` it does not, and the decision is made here: only a
 * retryable code is tried again, after the server's `afterMs` or a growing, jittered delay.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #settings: Settings;
  readonly #events: ConnectionEvents;
  #state: ConnectionState = "idle";
  #id: string | null = null;
  #clientId: string | null = null;
  #resume: string | null = null;
  #attempts = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(settings: Settings, events: ConnectionEvents) {
    this.#settings = settings;
    this.#events = events;
    const manager = new Manager(settings.origin, {
      path: settings.path,
      transports: [...settings.transports],
      tryAllTransports: true,
      autoConnect: false,
    });
    this.#socket = manager.socket("/", { auth: (send) => send(this.#handshake()) });
    this.#socket.on("connect_error", (error) => this.#onConnectError(error));
    this.#socket.on("disconnect", (reason) => this.#onDisconnect(reason));
    this.#socket.onAny((name: string, payload: unknown) => this.#onEvent(name, payload));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get id(): string | null {
    return this.#id;
  }

  get clientId(): string | null {
    return this.#clientId;
  }

  open(): void {
    if (this.#state === "connecting" || this.#state === "connected") return;
    this.#state = "connecting";
    this.#attempts = 0;
    this.#socket.connect();
  }

  close(error: SluiceError): void {
    const wasConnected = this.#state === "connected";
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#leaveWire();
    this.#events.ended(error, wasConnected);
  }

  transmit(event: string, payload: unknown, onAnswer: (answer: unknown) => void): void {
    this.#socket.emit(event, payload, onAnswer);
  }

  #handshake(): Record<string, unknown> {
    const { apiKey, echoMessages } = this.#settings;
    const auth: Record<string, unknown> = { echoMessages };
    if (apiKey !== null) auth["apiKey"] = apiKey;
    if (this.#resume !== null) auth["resume"] = this.#resume;
    return auth;
  }

  #onEvent(name: string, payload: unknown): void {
    if (name === "connection:ready") this.#onReady(payload);
    else if (name === "connection:closing") this.#onClosing(payload);
    else if (this.#state === "connected") this.#events.event(name, payload);
  }

  #onReady(payload: unknown): void {
    if (this.#state !== "connecting" || !isRecord(payload)) return;
    const { id, clientId, resume } = payload;
    this.#id = typeof id === "string" ? id : (this.#socket.id ?? null);
    const isSameClient = this.#clientId !== null && this.#clientId === clientId;
    this.#clientId = typeof clientId === "string" ? clientId : null;
    this.#resume = typeof resume === "string" ? resume : null;
    this.#attempts = 0;
    this.#state = "connected";
    this.#events.ready(isSameClient);
  }

  #onClosing(payload: unknown): void {
    const error = parseError(payload) ?? localError("server_disconnect");
    const retry = isRecord(payload) && payload["retry"] === true;
    const { code, message, afterMs } = error;
    this.#events.closing(
      afterMs === undefined ? { code, message, retry } : { code, message, retry, afterMs },
    );
    if (this.#state === "closed") return;
    if (retry) this.#comeBack(error);
    else this.close(error);
  }

  #onConnectError(error: Error): void {
    if (this.#state !== "connecting") return;
    const refusal = refusalOf(error);
    if (refusal === undefined) this.#events.failed(localError("network_error", networkMessage(error)));
    else if (mayRetry(refusal.code)) this.#comeBack(refusal);
    else this.close(refusal);
  }

  #onDisconnect(reason: Socket.DisconnectReason): void {
    // What was buffered while the connection was half dead would go out before the channels are joined again.
    this.#socket.sendBuffer = [];
    if (this.#state !== "connected" && this.#state !== "connecting") return;
    if (reason === "io client disconnect") return;
    const error = localError("connection_lost", `the connection was lost: ${reason}`);
    if (reason === "io server disconnect") this.close(localError("server_disconnect"));
    else if (this.#state === "connected") this.#lose(error);
    // Gone before it was ready: socket.io-client would come back every second for ever.
    else this.#comeBack(error);
  }

  /** Try again in our own time: socket.io-client is told to stay away meanwhile. */
  #comeBack(error: SluiceError): void {
    this.#leaveWire();
    const backoffMs = Math.min(MAX_BACKOFF_MS, 1000 * 2 ** Math.min(this.#attempts, 5));
    this.#attempts += 1;
    const delayMs = (isDuration(error.afterMs) ? error.afterMs : backoffMs) * (1 + Math.random() / 4);
    this.#retryTimer = setTimeout(() => this.#socket.connect(), Math.min(delayMs, MAX_TIMER_MS));
    this.#lose(error);
  }

  #lose(error: SluiceError): void {
    const wasConnected = this.#state === "connected";
    this.#state = "connecting";
    this.#id = null;
    if (wasConnected) this.#events.lost(error);
    else this.#events.failed(error);
  }

  #leaveWire(): void {
    clearTimeout(this.#retryTimer);
    this.#id = null;
    this.#socket.disconnect();
    this.#socket.sendBuffer = [];
  }
}

/** The server's refusal: in a CONNECT_ERROR packet, or as the HTTP answer to a polling request. */
function refusalOf(error: Error): SluiceError | undefined {
  if ("data" in error) {
    const refusal = parseError(error.data);
    if (refusal) return refusal;
  }
  const status = "description" in error ? error.description : undefined;
  if (status !== 401 && status !== 403) return undefined;
  const body = "context" in error && isRecord(error.context) ? error.context["responseText"] : undefined;
  return (
    (typeof body === "string" ? parseError(parseJson(body)) : undefined) ?? {
      status,
      code: status === 401 ? "invalid_api_key" : "realtime_not_allowed",
      message: `the server refused the connection with status ${status}`,
    }
  );
}

function networkMessage(error: Error): string {
  return `the server could not be reached: ${error.message}`;
}
