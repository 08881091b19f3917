import { performance } from "node:perf_hooks";
import type { Socket as EngineSocket, Transport } from "engine.io";
import { type Refusal, refuse } from "../../protocol/index.ts";
import { forgivePong, pauseReading, resumeReading } from "../transport/engine-reading.ts";
import type { Outbound } from "./outbound.ts";
import type { Reader, Reading } from "./reading.ts";
import { Turns } from "./turns.ts";

/** The session whose packets come in. */
export type IntakeOptions = {
  readonly conn: EngineSocket;
  readonly reading: Reading;
  readonly name: string;
  readonly owner: string;
  /** Does what Socket.IO does with a packet. */
  readonly handOn: (data: unknown) => void;
  /** Bytes that the client has read, and those that it has not. */
  readonly outbound: Pick<
    Outbound,
    "readBytes" | "unreadBytes" | "untilRead" | "aheadBytes" | "expectReading"
  >;
  readonly endAsSlow: () => void;
  readonly endWith: (refusal: Refusal) => void;
};

/** What comes in by a POST waits there until it is asked to go on. */
type Payload = { advance(): void };

/** What one connection may have under way, decoded, before nothing more of it is handed on. */
const MAX_OPEN_REQUESTS = 64;
const MAX_OPEN_BYTES = 256 * 1024;

/** What one connection may hand on in its turn. */
const TURN_BYTES = 256 * 1024;

/** How far the rates may be exceeded for a moment: a second's worth. */
const BURST_MS = 1_000;

/** What a packet that waits takes beside its content. */
const PACKET_BYTES = 64;

/** What a waiting request takes in memory that is not worth the budget's time. */
const MIN_CHARGED_BYTES = 4 * 1024;

/**
 * What one connection sends, from its first packet after CONNECT: handed on at once while there is room, and kept as it came,
 * not decoded, while there is none. Then nothing more is read, so that the network slows the client down: nothing is
 * refused and nothing is lost. There is no room when the requests of all clients have taken their time of this turn, while a membership change is under way, while 64 requests or 256 KiB of them are,
 * when the connection has had its turn, and when it has sent faster than it may.
 */
export class Intake implements Reader {
  readonly name: string;
  readonly owner: string;
  readonly turns: Turns;
  readonly #options: IntakeOptions;
  /** Packets that came while there was no room. */
  #waiting: unknown[] = [];
  #waitingBytes = 0;
  #openBytes = 0;
  /** Handed on since it had to yield last. */
  #packets = 0;
  #bytes = 0;
  /** Until when the clock has to run for what was sent to be within the rates; milliseconds of `performance.now()`. */
  #requestsPaidMs = 0;
  #bytesPaidMs = 0;
  #isYielding = false;
  #owing: NodeJS.Timeout | undefined;
  #isUnread = false;
  /** The transport that is not read. */
  #paused: Transport | undefined;
  #payload: Payload | undefined;
  #receivedBytes = 0;
  #readBytes = 0;
  #isOver = false;

  constructor(options: IntakeOptions) {
    this.name = options.name;
    this.owner = options.owner;
    this.#options = options;
    this.turns = new Turns(() => this.#wake());
  }

  /** Whether the next packet is handed on at once. */
  get hasRoom(): boolean {
    return (
      this.#waiting.length === 0 &&
      !this.#isYielding &&
      !this.#options.reading.turn.isSpentFor(this.owner) &&
      !this.turns.isChanging &&
      this.turns.open < MAX_OPEN_REQUESTS &&
      this.#openBytes < MAX_OPEN_BYTES
    );
  }

  /** A packet of the protocol below: it is counted. */
  count(): void {
    this.#spend(1);
  }

  /** A packet for Socket.IO. */
  receive(data: unknown): void {
    if (this.#isOver) return;
    if (this.hasRoom) {
      this.#handOn(data);
      return;
    }
    this.#waiting.push(owned(data));
    this.hold(PACKET_BYTES + 2 * lengthOf(data));
    this.#stop();
    this.#waitForTurn();
  }

  /** A payload goes on when there is room, and is asked again until it says that it is over. */
  take(payload: Payload): void {
    this.#payload = payload;
    if (this.hasRoom) payload.advance();
    if (this.#payload === undefined || this.hasRoom) return;
    this.#stop();
    this.#waitForTurn();
  }

  /** So many bytes wait more, or fewer. */
  hold(bytes: number): void {
    if (this.#isOver) return;
    this.#waitingBytes += bytes;
    if (bytes >= 0) this.#options.reading.hold(this, bytes);
    else this.#options.reading.letGo(this, -bytes);
  }

  payloadEnded(): void {
    this.#payload = undefined;
  }

  /** Bytes of the messages that were handed on since it was asked last. */
  takeReceivedBytes(): number {
    const taken = this.#receivedBytes;
    this.#receivedBytes = 0;
    return taken;
  }

  /** What waits here, or is under way. */
  get heldBytes(): number {
    return this.#waitingBytes + this.#openBytes;
  }

  /** A request of so many bytes is under way. */
  begin(bytes: number): void {
    this.#openBytes += bytes;
    if (bytes >= MIN_CHARGED_BYTES) this.#options.reading.hold(this, bytes);
  }

  finish(bytes: number): void {
    this.#openBytes -= bytes;
    if (bytes >= MIN_CHARGED_BYTES) this.#options.reading.letGo(this, bytes);
    this.#wake();
  }

  /** It sends over another transport now. */
  upgraded(): void {
    if (this.#paused === undefined) return;
    this.#paused = this.#options.conn.transport;
    pauseReading(this.#paused);
  }

  /** {@link Reader.advance} */
  advance(): void {
    // It owes time, or has answers to read: whatever woke it, that comes first.
    if (this.#owing !== undefined || this.#isUnread) return;
    this.#isYielding = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    let [next, letGo] = [0, 0];
    for (; next < waiting.length && this.hasRoom; next += 1) {
      letGo += PACKET_BYTES + 2 * lengthOf(waiting[next]);
      this.#handOn(waiting[next]);
    }
    // What came in meanwhile, if anything did, came later.
    this.#waiting = waiting.slice(next).concat(this.#waiting);
    if (letGo > 0) this.hold(-letGo);
    if (this.hasRoom) this.#payload?.advance();
    if (this.hasRoom) this.#start();
  }

  /** {@link Reader.keepAlive}: unless it reads nothing although there is something to read. */
  keepAlive(): void {
    const { conn, outbound } = this.#options;
    const { readBytes } = outbound;
    if (outbound.unreadBytes === 0 || readBytes !== this.#readBytes) forgivePong(conn);
    this.#readBytes = readBytes;
  }

  /** {@link Reader.shed} */
  shed(): void {
    this.#waiting = [];
    this.#options.endWith(refuse("unavailable", "the server has too many waiting requests", 1_000));
  }

  /** The session ends: what it still sends is read, so that its farewell is heard, and dropped. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting = [];
    clearTimeout(this.#owing);
    this.#payload?.advance();
    this.#payload = undefined;
    this.#start();
    this.#options.reading.forget(this);
  }

  #handOn(data: unknown): void {
    const bytes = lengthOf(data);
    this.#receivedBytes += bytes;
    this.#spend(bytes);
    this.#options.reading.turn.begin(this.owner);
    this.#options.handOn(owned(data));
  }

  /** The clock is looked at once in a turn's share, not for each packet. */
  #spend(bytes: number): void {
    this.#packets += 1;
    this.#bytes += bytes;
    if (this.#packets >= this.#options.reading.turn.packets || this.#bytes >= TURN_BYTES) this.#yield();
  }

  #yield(): void {
    const { reading } = this.#options;
    const { maxRequestsPerSecond, maxReceivedBytesPerSecond } = reading.options;
    const nowMs = performance.now();
    const earliestMs = nowMs - BURST_MS;
    this.#requestsPaidMs = Math.max(this.#requestsPaidMs, earliestMs);
    this.#requestsPaidMs += (this.#packets / maxRequestsPerSecond) * 1_000;
    this.#bytesPaidMs = Math.max(this.#bytesPaidMs, earliestMs);
    this.#bytesPaidMs += (this.#bytes / maxReceivedBytesPerSecond) * 1_000;
    this.#packets = 0;
    this.#bytes = 0;
    if (this.#isYielding || this.#isOver) return;
    this.#isYielding = true;
    const owedMs = Math.max(this.#requestsPaidMs, this.#bytesPaidMs) - nowMs;
    this.#owing = owedMs <= 0 ? undefined : setTimeout(() => this.#paid(), Math.ceil(owedMs));
    if (this.#owing === undefined) this.#paid();
  }

  /** It is within its rates. Whoever does not read the answers to what it has sent is not read either. */
  #paid(): void {
    this.#owing = undefined;
    const { outbound, reading } = this.#options;
    const untilRead = outbound.untilRead();
    if (untilRead === undefined) {
      reading.turn.queue(this);
      return;
    }
    this.#isUnread = true;
    outbound.expectReading(outbound.aheadBytes, this.#options);
    void untilRead.then(() => {
      this.#isUnread = false;
      if (!this.#isOver) reading.turn.queue(this);
    });
  }

  /** All that it waits for is the time of a turn: nothing else will wake it. */
  #waitForTurn(): void {
    const { turn } = this.#options.reading;
    if (turn.isSpentFor(this.owner) && !this.#isYielding) turn.queue(this);
  }

  /** Something that was under way is done. */
  #wake(): void {
    if (this.#paused !== undefined && this.#owing === undefined && !this.#isUnread)
      this.#options.reading.turn.queue(this);
  }

  #stop(): void {
    if (this.#paused !== undefined) return;
    this.#paused = this.#options.conn.transport;
    this.#readBytes = this.#options.outbound.readBytes;
    pauseReading(this.#paused);
    this.#options.reading.stopped(this);
  }

  #start(): void {
    if (this.#paused === undefined) return;
    resumeReading(this.#paused);
    this.#paused = undefined;
    this.#options.reading.started(this);
  }
}

/** ws hands out views of chunks of 64 KiB: a byte that is kept would keep them. */
function owned(data: unknown): unknown {
  if (!Buffer.isBuffer(data) || data.buffer.byteLength <= 2 * data.length) return data;
  const copy = Buffer.allocUnsafeSlow(data.length);
  data.copy(copy);
  return copy;
}

function lengthOf(data: unknown): number {
  return typeof data === "string" || Buffer.isBuffer(data) ? data.length : 0;
}
