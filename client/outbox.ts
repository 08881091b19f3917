import { type AnswerParser, parseAnswer } from "./answers.ts";
import { packetBytes } from "./packet-size.ts";
import { failure, localError, type Result, type SluiceError } from "./result.ts";
import { type Cancel, callAfter, Stopwatch } from "./timer.ts";

/** The way to the server, while there is one. */
export type Wire = {
  /** Puts an event on the wire. Throws when the payload cannot be encoded. */
  transmit(event: string, payload: unknown, onAnswer: (answer: unknown) => void): void;
  /** What one packet may have, once the server has said so. */
  readonly maxPayloadBytes: number | undefined;
};

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

export type OutboxOptions = {
  /** How long a call waits for a connection, in all. */
  readonly queueForMs: number;
  /** How long a call that was sent waits for its answer. */
  readonly answerWithinMs: number;
  readonly maxQueuedCalls: number;
};

type Pending = {
  readonly event: string;
  readonly payload: object | (() => object);
  readonly repeatable: Repeatable;
  /** Since the call, and since it was sent first. */
  readonly called: Stopwatch;
  sent: Stopwatch | undefined;
  /** How often its connection ended before the answer. */
  losses: number;
  cancelTimer: Cancel;
  readonly answer: (answer: unknown) => void;
  readonly fail: (error: SluiceError) => void;
};

/** The server remembers ids for two minutes. */
const REPEAT_WINDOW_MS = 100_000;

/** A call whose connection ended so often without an answer is what ends it. */
const MAX_LOSSES = 2;

/**
 * Calls on their way: those that wait for the connection, in order and bounded, and those that wait for their answer. Each has one
 * timer; a call whose time is up is never sent afterwards.
 */
export class Outbox {
  readonly #wire: Wire;
  readonly #options: OutboxOptions;
  readonly #sent = new Set<Pending>();
  #queued: Pending[] = [];
  #flowing = false;

  constructor(wire: Wire, options: OutboxOptions) {
    this.#wire = wire;
    this.#options = options;
  }

  /** Whether the connection is ready, and everything that has to be restored on it is. */
  get isFlowing(): boolean {
    return this.#flowing;
  }

  /** Sends now when the connection is ready, or waits for {@link Outbox.flow}. */
  call<T>(call: Call<T>): Promise<Result<T>> {
    if (!this.#flowing && this.#queued.length >= this.#options.maxQueuedCalls) {
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
    const kept: Pending[] = [];
    for (const pending of sent) {
      pending.losses += 1;
      if (pending.repeatable === "never" || pending.losses >= MAX_LOSSES) pending.fail(error);
      else kept.push(pending);
    }
    this.#queued = [...kept, ...this.#queued];
    for (const pending of kept) this.#waitForConnection(pending);
  }

  /** Connected again. What the server may have had from another client, or long ago, would be done twice. */
  giveUpRepeats(isSameClient: boolean): void {
    for (const pending of [...this.#queued]) {
      const { repeatable, sent } = pending;
      if (repeatable !== "as-same-client" || sent === undefined) continue;
      if (!isSameClient || sent.elapsedMs > REPEAT_WINDOW_MS) pending.fail(localError("connection_lost"));
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
        pending.cancelTimer();
        this.#forget(pending);
        resolve(result);
      };
      const pending: Pending = {
        event: call.event,
        payload: call.payload,
        repeatable: call.repeatable ?? "never",
        called: new Stopwatch(),
        sent: undefined,
        losses: 0,
        cancelTimer: () => {},
        answer: (answer) => settle(parseAnswer(answer, call.parse)),
        fail: (error) => settle(failure(error)),
      };
      if (now) {
        this.#send(pending);
        return;
      }
      this.#queued.push(pending);
      this.#waitForConnection(pending);
    });
  }

  #waitForConnection(pending: Pending): void {
    pending.cancelTimer();
    const restMs = this.#options.queueForMs - pending.called.elapsedMs;
    pending.cancelTimer = callAfter(restMs, () =>
      pending.fail(localError("ack_timeout", "the connection did not come back in time")),
    );
  }

  #send(pending: Pending): void {
    pending.cancelTimer();
    const payload = typeof pending.payload === "function" ? pending.payload() : pending.payload;
    const { maxPayloadBytes } = this.#wire;
    this.#sent.add(pending);
    pending.sent ??= new Stopwatch();
    pending.cancelTimer = callAfter(this.#options.answerWithinMs, () =>
      pending.fail(localError("ack_timeout")),
    );
    try {
      // The server would end the connection without a word, and the call would be repeated on the next one.
      if (maxPayloadBytes !== undefined && packetBytes(pending.event, payload) > maxPayloadBytes) {
        const message = `the server takes at most ${maxPayloadBytes} bytes at once`;
        pending.fail({ status: 413, code: "payload_too_large", message });
        return;
      }
      this.#wire.transmit(pending.event, payload, pending.answer);
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
