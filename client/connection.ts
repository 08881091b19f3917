import { parseError } from "./answers.ts";
import { Attempt } from "./attempt.ts";
import { Backoff } from "./backoff.ts";
import { refusalOf, unreachable } from "./connect-error.ts";
import type { Settings } from "./options.ts";
import { listenToPage } from "./page-events.ts";
import { isRecord } from "./record.ts";
import { localError, mayRetry, type SluiceError } from "./result.ts";
import { type Cancel, callAfter } from "./timer.ts";
import { TransportOrder } from "./transport-order.ts";

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

/** How long a transport may take to open while there is another one to try. */
const FIRST_TRANSPORT_MS = 5_000;
const CONNECT_MS = 15_000;

/** A call unanswered for so long, with nothing heard at all, is a reason to ask whether the server is there. */
const SILENCE_MS = 5_000;

/**
 * One client's connection across its tries. Each try is an {@link Attempt} of its own; this decides when there is a next one: after
 * a loss and after what the server calls retryable, with growing, jittered pauses; at once when the network or the page comes
 * back. A refusal that no retry can mend ends it.
 */
export class Connection {
  readonly #settings: Settings;
  readonly #events: ConnectionEvents;
  readonly #backoff = new Backoff();
  readonly #order: TransportOrder;
  #attempt: Attempt | undefined;
  #state: ConnectionState = "idle";
  #id: string | null = null;
  #clientId: string | null = null;
  #resume: string | null = null;
  /** The pause before the next try. */
  #cancelPause: Cancel | undefined;
  /** When the server says how long to stay away, the page's coming back does not change that. */
  #isToldToWait = false;
  #stopListening: (() => void) | undefined;
  #unanswered = 0;
  #cancelSilence: Cancel | undefined;
  #isProbing = false;

  constructor(settings: Settings, events: ConnectionEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#order = new TransportOrder(`${settings.origin}${settings.path}`, settings.transports);
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

  /** What one packet may have, once the server has said so. */
  get maxPayloadBytes(): number | undefined {
    return this.#attempt?.maxPayloadBytes;
  }

  open(): void {
    if (this.#state === "connecting" || this.#state === "connected") return;
    this.#state = "connecting";
    this.#backoff.reset();
    this.#stopListening ??= listenToPage({
      awake: () => this.#awake(),
      restored: () => this.#restored(),
    });
    this.#try();
  }

  close(error: SluiceError): void {
    if (this.#state === "closed") return;
    const wasConnected = this.#state === "connected";
    this.#state = "closed";
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#leave();
    this.#events.ended(error, wasConnected);
  }

  transmit(event: string, payload: unknown, onAnswer: (answer: unknown) => void): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    attempt.emit(event, payload, (answer) => {
      this.#unanswered -= 1;
      onAnswer(answer);
    });
    this.#unanswered += 1;
    this.#watchSilence(attempt);
  }

  #try(): void {
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    this.#isToldToWait = false;
    const { origin, path, apiKey, echoMessages } = this.#settings;
    const auth: Record<string, unknown> = { echoMessages };
    if (apiKey !== null) auth["apiKey"] = apiKey;
    if (this.#resume !== null) auth["resume"] = this.#resume;
    const connectTimeoutMs = this.#order.hasOther ? FIRST_TRANSPORT_MS : CONNECT_MS;
    this.#attempt = new Attempt(
      { origin, path, transports: this.#order.current, auth, connectTimeoutMs },
      {
        event: (name, payload) => this.#onEvent(name, payload),
        failed: (error, isSilent) => this.#onFailed(error, isSilent),
        closed: (reason, byServer) => this.#onClosed(reason, byServer),
        upgraded: (name) => this.#order.worked(name),
      },
    );
  }

  #onEvent(name: string, payload: unknown): void {
    if (name === "connection:ready") this.#onReady(payload);
    else if (name === "connection:closing") this.#onClosing(payload);
    else if (this.#state === "connected") this.#events.event(name, payload);
  }

  #onReady(payload: unknown): void {
    const attempt = this.#attempt;
    if (this.#state !== "connecting" || attempt === undefined || !isRecord(payload)) return;
    const { id, clientId, resume } = payload;
    attempt.accept();
    this.#order.worked(attempt.transport);
    this.#id = typeof id === "string" ? id : (attempt.id ?? null);
    const isSameClient = this.#clientId !== null && this.#clientId === clientId;
    this.#clientId = typeof clientId === "string" ? clientId : null;
    this.#resume = typeof resume === "string" ? resume : null;
    this.#backoff.reset();
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

  #onFailed(error: Error, isSilent: boolean): void {
    const refusal = refusalOf(error);
    if (refusal !== undefined && isFinal(refusal)) {
      this.close(refusal);
      return;
    }
    if (isSilent && this.#order.hasOther) this.#order.turn();
    this.#comeBack(refusal ?? unreachable(error));
  }

  #onClosed(reason: string, byServer: boolean): void {
    if (byServer) this.close(localError("server_disconnect"));
    else this.#comeBack(localError("connection_lost", `the connection was lost: ${reason}`));
  }

  /** Try again, after a pause. */
  #comeBack(error: SluiceError): void {
    this.#leave();
    this.#isToldToWait = error.afterMs !== undefined;
    this.#cancelPause = callAfter(this.#backoff.nextMs(error.afterMs), () => this.#try());
    const wasConnected = this.#state === "connected";
    this.#state = "connecting";
    if (wasConnected) this.#events.lost(error);
    else this.#events.failed(error);
  }

  #leave(): void {
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    this.#cancelSilence?.();
    this.#cancelSilence = undefined;
    this.#unanswered = 0;
    this.#isProbing = false;
    this.#id = null;
    this.#attempt?.end();
    this.#attempt = undefined;
  }

  /** The network is back, or the page is looked at again. */
  #awake(): void {
    if (this.#state === "connected") this.#probe();
    else if (this.#cancelPause !== undefined && !this.#isToldToWait) this.#try();
  }

  /** The page comes out of the back/forward cache: the browser has ended its connections without an event. */
  #restored(): void {
    if (this.#state !== "connected" && this.#state !== "connecting") return;
    this.#comeBack(localError("connection_lost", "the page was in the back/forward cache"));
    this.#try();
  }

  #watchSilence(attempt: Attempt): void {
    if (this.#cancelSilence !== undefined) return;
    this.#cancelSilence = callAfter(SILENCE_MS, () => {
      this.#cancelSilence = undefined;
      if (this.#unanswered === 0 || attempt !== this.#attempt) return;
      if (attempt.silentMs >= SILENCE_MS) this.#probe();
      else this.#watchSilence(attempt);
    });
  }

  /** Asks for any answer, and takes the connection for dead when nothing at all is heard: a half-open line looks like a quiet one. */
  #probe(): void {
    const attempt = this.#attempt;
    if (attempt === undefined || this.#isProbing) return;
    this.#isProbing = true;
    const answered = (): void => {
      this.#isProbing = false;
      cancel();
    };
    const cancel = callAfter(SILENCE_MS, () => {
      this.#isProbing = false;
      if (attempt !== this.#attempt) return;
      if (attempt.silentMs < SILENCE_MS) return;
      this.#comeBack(localError("connection_lost", "the server does not answer"));
    });
    // Whatever a server says to this, a refusal too, is an answer.
    attempt.emit("members", {}, answered);
  }
}

/** What a next try would be told, too. A session that is not known any more is none of that, nor a firewall's page. */
function isFinal({ status, code }: SluiceError): boolean {
  return !mayRetry(code) && !code.startsWith("http_") && code !== "invalid_request" && status >= 400;
}
