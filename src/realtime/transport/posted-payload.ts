import type { IncomingMessage, ServerResponse } from "node:http";
import type { Transport } from "engine.io";
import { type Refusal, refuse } from "../../protocol/index.ts";
import { handOnPayload } from "./engine-reading.ts";

/** What the session of a POST does with it. */
export type PayloadReceiver = {
  /** Whether the next packet may be handed on; false also when nothing is taken any more. */
  readonly hasRoom: boolean;
  readonly isEnding: boolean;
  /** More of the payload is kept, or less. */
  hold(bytes: number): void;
  /** The whole of it has come: it goes on when there is room. */
  came(payload: PostedPayload): void;
  /** It is over, answered or not. */
  ended(): void;
  /** It is larger than it may be, or was broken off. */
  failed(refusal: Refusal | undefined): void;
};

/** RS, which separates the packets of a payload. */
const SEPARATOR = "\x1e";

/**
 * The shortest request that a client can make has more than 26 characters, so that no payload of requests comes near
 * this; 1 MiB of empty packets would be 500,000.
 */
const MAX_PACKETS = 40_000;

const FIRST_BYTES = 4 * 1024;

/**
 * The body of a poller's POST: read up to a bound, refused by its length before it is read where that is said, and handed
 * to Engine.IO packet by packet as there is room. It is answered when all of it was handed on, which keeps the client from
 * sending more. Its pieces are copied to one buffer: a piece keeps the 64 KiB in which it came.
 */
export class PostedPayload {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #transport: Transport;
  readonly #receiver: PayloadReceiver;
  readonly #maxBytes: number;
  #body: Buffer | undefined;
  #length = 0;
  #text: string | undefined;
  /** Where the next packet begins. */
  #at = 0;
  #isReading = false;
  #isOver = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    transport: Transport,
    receiver: PayloadReceiver,
    maxBytes: number,
  ) {
    this.#request = request;
    this.#response = response;
    this.#transport = transport;
    this.#receiver = receiver;
    this.#maxBytes = maxBytes;
    response.once("close", () => this.#closed());
  }

  /** Goes on, as far as there is room. */
  advance(): void {
    if (this.#isOver) return;
    if (this.#receiver.isEnding) {
      // Refused, a poller gives up before it has fetched why its session ends.
      this.#answer();
    } else if (this.#text !== undefined) {
      this.#handOn(this.#text);
    } else if (this.#receiver.hasRoom) {
      this.#read();
    }
  }

  /** Ends its TCP connection, if it is still under way. */
  destroy(): void {
    this.#request.socket.destroy();
  }

  /** It is larger than it may be. */
  refuseLength(): void {
    this.#fail(
      refuse("payload_too_large", `the body of this request may have at most ${this.#maxBytes} bytes`),
    );
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#request.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#request.once("end", () => this.#came());
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) {
      this.refuseLength();
      return;
    }
    if (this.#body === undefined || length > this.#body.length) {
      const before = this.#body;
      const size = Math.max(FIRST_BYTES, length, 2 * (before?.length ?? 0));
      this.#body = Buffer.allocUnsafeSlow(Math.min(size, this.#maxBytes));
      before?.copy(this.#body, 0, 0, this.#length);
      this.#receiver.hold(this.#body.length - (before?.length ?? 0));
    }
    chunk.copy(this.#body, this.#length);
    this.#length = length;
  }

  #came(): void {
    if (this.#isOver) return;
    this.#text = this.#body?.toString("utf8", 0, this.#length) ?? "";
    // The text is kept instead: of one byte a character, or two.
    this.#receiver.hold(this.#text.length - (this.#body?.length ?? 0));
    this.#body = undefined;
    if (hasMorePackets(this.#text, MAX_PACKETS)) {
      this.#fail(refuse("payload_too_large", `a payload has at most ${MAX_PACKETS} packets`));
      return;
    }
    this.#receiver.came(this);
  }

  #handOn(text: string): void {
    while (this.#at <= text.length && this.#receiver.hasRoom) {
      const end = text.indexOf(SEPARATOR, this.#at);
      const packet = text.slice(this.#at, end === -1 ? text.length : end);
      this.#at += packet.length + 1;
      handOnPayload(this.#transport, packet);
      if (this.#isOver) return;
    }
    if (this.#at > text.length || this.#receiver.isEnding) this.#answer();
  }

  #answer(): void {
    if (this.#isOver) return;
    this.#end();
    // What Engine.IO answers: other than plain text, no browser offers to save it.
    this.#response
      .writeHead(200, { "content-type": "text/html", "content-length": 2, "cache-control": "no-store" })
      .end("ok");
  }

  #fail(refusal: Refusal): void {
    if (this.#isOver) return;
    this.#end();
    this.#receiver.failed(refusal);
  }

  #closed(): void {
    if (this.#isOver) return;
    this.#end();
    this.#receiver.failed(undefined);
  }

  #end(): void {
    this.#isOver = true;
    this.#receiver.hold(-(this.#text?.length ?? this.#body?.length ?? 0));
    this.#body = undefined;
    this.#text = "";
    this.#receiver.ended();
  }
}

function hasMorePackets(text: string, max: number): boolean {
  if (text.length <= max) return false;
  let count = 1;
  for (let at = text.indexOf(SEPARATOR); at !== -1; at = text.indexOf(SEPARATOR, at + 1)) count += 1;
  return count > max;
}
