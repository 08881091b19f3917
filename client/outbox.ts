import { type AnswerParser, parseAnswer } from "./answers.ts";
import { failure, localError, type Result, type SluiceError } from "./result.ts";

/** Puts an event on the wire. Throws when the payload cannot be encoded. */
export type Transmit = (event: string, payload: unknown, onAnswer: (answer: unknown) => void) => void;

export type Call<T> = {
  readonly event: string;
  /** A function is asked each time that it is sent. */
  readonly payload: object | (() => object);
  readonly parse: AnswerParser<T>;
  readonly repeatable?: Repeatable;
};

/**
 * Whether it is sent again when the connection is lost before the answer: `always`, where doing it twice is the same as
 * once; `as-same-client`, where the server knows the repetition by its id, of the same client and for a while.
 */
export type Repeatable = "never" | "always" | "as-same-client";

type Pending = {
  readonly event: string;
  readonly payload: object | (() => object);
  readonly repeatable: Repeatable;
  /** When it was sent first, by the local clock. */
  sentAtMs: number | undefined;
  readonly answer: (answer: unknown) => void;
  readonly fail: (error: SluiceError) => void;
};

/** The server remembers ids for two minutes. */
const REPEAT_WINDOW_MS = 100_000;

/**
 * Calls on their way: those that wait for the connection, in order and bounded, and those that wait for their
 * answer. Each has one timer, from the call on; a call whose time is up is never sent afterwards.
 */
export class Outbox {
  readonly #transmit: Transmit;
  readonly #timeoutMs: number;
  readonly #maxQueued: number;
  readonly #sent = new Set<Pending>();
  #queued: Pending[] = [];
  #flowing = false;

  constructor(transmit: Transmit, timeoutMs: number, maxQueued: number) {
    this.#transmit = transmit;
    this.#timeoutMs = timeoutMs;
    this.#maxQueued = maxQueued;
  }

  /** Sends now when the connection is ready, or waits for {@link Outbox.flow}. */
  call<T>(call: Call<T>): Promise<Result<T>> {
    if (!this.#flowing && this.#queued.length >= this.#maxQueued) {
      return Promise.resolve(failure(localError("queue_full")));
    }
    return this.#start(call, this.#flowing);
  }

  /** Sends at once, ahead of what is queued: for what has to be restored before the queue may flow. */
  callAhead<T>(call: Call<T>): Promise<Result<T>> {
    return this.#start(call, true);
  }

  /** The connection is ready: send what waits, and from now on at once. */
  flow(): void {
    this.#flowing = true;
    for (const pending of this.#queued.splice(0)) this.#send(pending);
  }

  /** The connection is gone but comes back. */
  hold(error: SluiceError): void {
    this.#flowing = false;
    const sent = [...this.#sent];
    this.#sent.clear();
    this.#queued = [...sent.filter(({ repeatable }) => repeatable !== "never"), ...this.#queued];
    for (const pending of sent) if (pending.repeatable === "never") pending.fail(error);
  }

  /** Connected again. What the server may have had from another client, or long ago, would be done twice. */
  giveUpRepeats(isSameClient: boolean): void {
    const sinceMs = performance.now() - REPEAT_WINDOW_MS;
    for (const pending of [...this.#queued]) {
      const { repeatable, sentAtMs } = pending;
      if (repeatable !== "as-same-client" || sentAtMs === undefined) continue;
      if (!isSameClient || sentAtMs < sinceMs) pending.fail(localError("connection_lost"));
    }
  }

  /** The connection is gone for good. */
  end(error: SluiceError): void {
    this.#flowing = false;
    const all = [...this.#sent, ...this.#queued.splice(0)];
    this.#sent.clear();
    for (const pending of all) pending.fail(error);
  }

  #start<T>(call: Call<T>, now: boolean): Promise<Result<T>> {
    return new Promise((resolve) => {
      const settle = (result: Result<T>): void => {
        clearTimeout(timer);
        this.#forget(pending);
        resolve(result);
      };
      const pending: Pending = {
        event: call.event,
        payload: call.payload,
        repeatable: call.repeatable ?? "never",
        sentAtMs: undefined,
        answer: (answer) => settle(parseAnswer(answer, call.parse)),
        fail: (error) => settle(failure(error)),
      };
      const timer = setTimeout(() => pending.fail(localError("ack_timeout")), this.#timeoutMs);
      if (now) this.#send(pending);
      else this.#queued.push(pending);
    });
  }

  #send(pending: Pending): void {
    this.#sent.add(pending);
    pending.sentAtMs ??= performance.now();
    const { event, payload, answer } = pending;
    try {
      this.#transmit(event, typeof payload === "function" ? payload() : payload, answer);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      pending.fail({ status: 400, code: "invalid_payload", message: `this cannot be sent: ${message}` });
    }
  }

  #forget(pending: Pending): void {
    this.#sent.delete(pending);
    const index = this.#queued.indexOf(pending);
    if (index >= 0) this.#queued.splice(index, 1);
  }
}
