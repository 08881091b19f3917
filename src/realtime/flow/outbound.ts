import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Socket as EngineSocket } from "engine.io";
import type { OpenPoll } from "../transport/open-poll.ts";

/** Of the bytes that a client may leave unread, the share that is sent to it ahead when it catches up. */
const AHEAD_SHARE = 1 / 4;

/** How often a client that is behind is looked at in the time that it has; one look must do above so many times of its bytes. */
const LOOKS = 5;
const VERY_MUCH = 8;

/** Whoever does not read what it is sent ends. */
type SlowClient = { endAsSlow(): void };

/** What a client may leave unread, beside the one message that exceeds it, and for how long it may then read nothing. */
export type OutboundBounds = { readonly maxOutboundBytes: number; readonly maxUnreadMs: number };

/** Events after which a client may have read more. `heartbeat` comes anyhow, should another engine know no `ready`. */
const SIGNS = ["flush", "upgrade", "heartbeat", "close"];

/**
 * What waits to be sent to one client. Engine.IO hands its buffer to the transport (`flush`) only once the transport has
 * passed on what it had: what is in flight and what is queued is what the client has not read. What the fan-out
 * wrote past Engine.IO waits in the TCP connection, together with what is in flight.
 */
export class Outbound {
  readonly #conn: EngineSocket;
  /** The TCP connections of its WebSockets. */
  readonly #tcps: readonly Duplex[];
  readonly #bounds: OutboundBounds;
  /** The latest poll, which what is in flight was answered to. */
  poll: OpenPoll | undefined;
  #inFlightBytes = 0;
  /** Resolves when the client has read, while anybody waits for it. */
  #reading: Promise<void> | undefined;
  #queuedBytes = 0;
  #flushedBytes = 0;
  #isCorked = false;
  #isHeld = false;
  /** The next look at whether it reads, and how many it has not read between. */
  #look: NodeJS.Timeout | undefined;
  #idleLooks = 0;

  constructor(conn: EngineSocket, tcps: readonly Duplex[], bounds: OutboundBounds) {
    this.#conn = conn;
    this.#tcps = tcps;
    this.#bounds = bounds;
  }

  /** Engine.IO hands what is queued to the transport: several packets are one write. `passedOn` follows in the same turn. */
  passOn(packetCount: number): void {
    this.#inFlightBytes = this.#queuedBytes;
    this.#flushedBytes += this.#queuedBytes;
    this.#queuedBytes = 0;
    if (packetCount === 1 || this.#isCorked) return;
    this.#isCorked = true;
    for (const tcp of this.#tcps) tcp.cork();
  }

  /** The transport has them. */
  passedOn(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    for (const tcp of this.#tcps) tcp.uncork();
  }

  /** What is sent until `writeHeld`, in the same turn of the loop, is one write. */
  holdWrites(): void {
    this.#isHeld = true;
    for (const tcp of this.#tcps) tcp.cork();
  }

  writeHeld(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const tcp of this.#tcps) tcp.uncork();
  }

  /** What the client has not read. */
  get unreadBytes(): number {
    const { transport } = this.#conn;
    // Who polls may take its time for the next poll: an answer that the system has taken is not waited for.
    const isAnswered = transport.name === "polling" && this.poll?.isUnread === false;
    if (transport.writable || isAnswered) this.#inFlightBytes = 0;
    let unsentBytes = 0;
    for (const tcp of this.#tcps) unsentBytes += tcp.writableLength;
    return Math.max(this.#inFlightBytes, unsentBytes) + this.#queuedBytes;
  }

  /** Grows as the client reads; what it counts is not the same over each transport. */
  get readBytes(): number {
    let readBytes = this.#flushedBytes;
    for (const tcp of this.#tcps) {
      if (tcp instanceof Socket) readBytes += tcp.bytesWritten - tcp.writableLength;
    }
    return readBytes;
  }

  /** A packet is about to be queued. Above what it may leave unread, the client is expected to read. */
  add(data: unknown, client: SlowClient): void {
    if (this.unreadBytes > this.#bounds.maxOutboundBytes)
      this.expectReading(this.#bounds.maxOutboundBytes, client);
    this.#queuedBytes += sizeOf(data);
  }

  /**
   * Until no more than this is unread, a client that reads nothing for too long is slow. Whoever reads is not, however much it
   * was handed in one turn; whoever left very much has less time. The timer is there only while somebody is behind.
   */
  expectReading(downToBytes: number, client: SlowClient): void {
    if (this.#look !== undefined) return;
    const { readBytes } = this;
    this.#look = setTimeout(() => {
      // A loop that was late looks at the network first.
      setImmediate(() => {
        this.#look = undefined;
        const { unreadBytes } = this;
        this.#idleLooks = this.readBytes === readBytes ? this.#idleLooks + 1 : 0;
        const isVeryMuch = unreadBytes > VERY_MUCH * this.#bounds.maxOutboundBytes;
        if (unreadBytes <= downToBytes || this.#conn.readyState !== "open") this.#idleLooks = 0;
        else if (this.#idleLooks < (isVeryMuch ? 1 : LOOKS)) this.expectReading(downToBytes, client);
        else client.endAsSlow();
      });
    }, this.#bounds.maxUnreadMs / LOOKS).unref();
  }

  /**
   * For who has much to send to this client alone: whoever reads is not to be taken for slow because the server is fast.
   * @returns undefined when more may be sent now; else resolves when the client has read, or is gone.
   */
  untilRead(): Promise<void> | undefined {
    if (!this.#isAhead()) return undefined;
    this.#reading ??= this.#nextReading();
    return this.#reading;
  }

  /** One for all who wait: each has listeners on everything that may tell. */
  #nextReading(): Promise<void> {
    return new Promise((resolve) => {
      const { transport } = this.#conn;
      const tcps = [...this.#tcps];
      const look = (): void => {
        // Another transport has other signs.
        if (this.#isAhead() && transport === this.#conn.transport) return;
        for (const sign of SIGNS) this.#conn.off(sign, look);
        transport.off("ready", look);
        for (const tcp of tcps) tcp.off("drain", look);
        this.#reading = undefined;
        resolve();
      };
      for (const sign of SIGNS) this.#conn.on(sign, look);
      transport.on("ready", look);
      for (const tcp of tcps) tcp.on("drain", look);
    });
  }

  /** What may be sent ahead. */
  get aheadBytes(): number {
    return this.#bounds.maxOutboundBytes * AHEAD_SHARE;
  }

  #isAhead(): boolean {
    return this.#conn.readyState === "open" && this.unreadBytes > this.aheadBytes;
  }
}

function sizeOf(data: unknown): number {
  if (typeof data === "string") return data.length;
  return ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data.byteLength : 0;
}
