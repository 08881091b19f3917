import { performance } from "node:perf_hooks";
import type { Hub } from "../../channels/index.ts";
import { BYTES_PER_COST, type OverloadState, publishRefusal, REQUEST_COST } from "../../overload/index.ts";
import { type ChannelError, type RefusalAck, refuse } from "../../protocol/index.ts";
import { refuseStopping } from "../admission/shutdown-refusal.ts";
import type { Connection } from "../connections/connection.ts";
import type { UnsentFrames } from "../flow/unsent-frames.ts";
import { type Answer, HANDLERS } from "./requests.ts";

export type InboxOptions = {
  readonly hub: Hub;
  readonly overload: OverloadState;
  readonly unsent: UnsentFrames;
  readonly onFault: (error: unknown) => void;
};

/** Decoded, a value takes up to 20 times what its text does; few take more than this, and it is not worth looking for them. */
const DECODED_FACTOR = 8;
const MIN_WEIGHED_BYTES = 16 * 1024;

/** What clients send: each event goes to its handler, and each gets an answer, whatever happens. */
export class Inbox {
  readonly #options: InboxOptions;
  #isClosed = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** The server stops: from now on every request is refused. */
  close(): void {
    this.#isClosed = true;
  }

  /** An event of a client with what came along, an acknowledgement last. */
  receive(connection: Connection, event: unknown, args: unknown[]): void {
    if (!connection.isOpen) return;
    const last = args.at(-1);
    const acknowledge = isAcknowledgement(last) ? last : undefined;
    const payload = acknowledge !== undefined && args.length === 1 ? undefined : args[0];
    const beganMs = event === "message" ? performance.now() : 0;
    this.#handle(connection, event, payload).then(
      (answer) => {
        if (event === "message" && !("allowed" in answer))
          this.#options.hub.traffic.publishTime.observe(performance.now() - beganMs);
        this.#answer(connection, event, payload, answer, acknowledge);
      },
      (error: unknown) => {
        this.#options.onFault(error);
        this.#answer(connection, event, payload, refuse("unavailable"), acknowledge);
      },
    );
  }

  async #handle(connection: Connection, event: unknown, payload: unknown): Promise<Answer> {
    const bytes = connection.takeReceivedBytes();
    if (this.#isClosed) return refuseStopping(this.#options.hub.connectionCount);
    const handler = typeof event === "string" ? HANDLERS.get(event) : undefined;
    if (handler === undefined) return refuse("unknown_event");
    if (!isFields(payload)) return refuse("invalid_payload", "the payload is an object");
    const { hub, overload, unsent } = this.#options;
    connection.addWork(REQUEST_COST + bytes / BYTES_PER_COST);
    if (overload.stage >= 2 && event === "message") {
      const refusal = publishRefusal(overload, bytes);
      if (refusal !== undefined) return refusal;
    }
    const tooFast = event === "message" ? unsent.refusal(connection) : undefined;
    if (tooFast !== undefined) return tooFast;
    return connection.work(heldBytes(bytes), () =>
      handler({ hub, overload, connection, now: Date.now }, payload),
    );
  }

  #answer(
    connection: Connection,
    event: unknown,
    payload: unknown,
    answer: Answer,
    acknowledge: ((answer: unknown) => void) | undefined,
  ): void {
    if (!connection.isOpen) return;
    if (!("allowed" in answer)) {
      acknowledge?.(answer);
      return;
    }
    const { code, message, afterMs } = answer;
    if (acknowledge !== undefined) {
      const ack: RefusalAck = {
        ok: false,
        error: { code, message, ...(afterMs === undefined ? {} : { afterMs }) },
      };
      acknowledge(ack);
      return;
    }
    const channel = isFields(payload) ? payload["channel"] : undefined;
    const error: ChannelError = {
      event: String(event).slice(0, 128),
      channel: typeof channel === "string" ? channel.slice(0, 200) : null,
      code,
      message,
      ...(afterMs === undefined ? {} : { afterMs }),
    };
    connection.tell("channel:error", error);
  }
}

function isAcknowledgement(value: unknown): value is (answer: unknown) => void {
  return typeof value === "function";
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** What a request holds in memory while it is under way. */
function heldBytes(textBytes: number): number {
  return textBytes < MIN_WEIGHED_BYTES ? textBytes : DECODED_FACTOR * textBytes;
}
