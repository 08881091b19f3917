import type { Duplex } from "node:stream";
import type { Socket as EngineSocket } from "engine.io";
import type { Identity, PresentedKey } from "../../gate/index.ts";
import { type Refusal, refuse } from "../../protocol/index.ts";
import type { Slot } from "../admission/admission.ts";
import type { Seat } from "../admission/seats.ts";
import { Intake } from "../flow/intake.ts";
import { Outbound } from "../flow/outbound.ts";
import { PendingInput } from "../flow/pending-input.ts";
import type { Reading } from "../flow/reading.ts";
import { CONNECT, connectError, splitConnect } from "../transport/connect-packet.ts";
import { allowLargeMessages, takeDataListener } from "../transport/engine-reading.ts";
import { closeWithin, inOneAnswer, type Wire, wireOf } from "../transport/engine-seam.ts";
import type { OpenPoll } from "../transport/open-poll.ts";
import type { PostedPayload } from "../transport/posted-payload.ts";
import type { EngineSessionOptions } from "./engine-session-options.ts";
import type { Admitted } from "./handshake.ts";

/** How long a closing connection may take to read its last packets before its TCP connection is destroyed. */
const CLOSING_GRACE_MS = 1_000;

/**
 * One Engine.IO connection from its first request to its end: whether it has authenticated, where its
 * requests come from, and how it is closed so that nothing of it stays.
 */
export class EngineSession {
  readonly conn: EngineSocket;
  readonly sid: string;
  readonly addressGroup: string;
  readonly outbound: Outbound;
  /** By the request that carried CONNECT. */
  origin: string | undefined;
  /** By the latest request that was let through. */
  ip: string | null;
  state: "pending" | "connected" | "condemned" | "closing" = "pending";
  identity: Identity | undefined;
  /** Its place among the connections, from its handshake on; free as soon as it begins to end. */
  seat: Seat | undefined;
  presented: PresentedKey | undefined;
  /** What the handshake found, until the connection begins in the same turn of the loop or ends. */
  admitted: Admitted | undefined;
  /** While it polls. */
  poll: OpenPoll | undefined;
  /** What it posts right now. */
  post: PostedPayload | undefined;
  /** Told when a packet is about to be queued, so that what the fan-out holds back for this client goes first. */
  fanOut: { beforePacket(): void } | undefined;
  /** The TCP connections of its WebSockets: one, or two while an upgrade is tried; closed ones may linger. */
  readonly #tcps: Duplex[];
  /** Its place among the strangers, and until when it may have it. */
  #slot: Slot | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** The connection that it carries, and who ends it: one function for all. */
  #connectionId: string | undefined;
  #endConnection: ((connectionId: string, refusal: Refusal) => void) | undefined;
  #wire: Wire | undefined;
  #cut: NodeJS.Timeout | undefined;
  readonly #reading: Reading;
  /** What it sends after CONNECT; from its first packet on. */
  #intake: Intake | undefined;
  /** Does what Socket.IO does with a packet. */
  #handOn: ((data: unknown) => void) | undefined;
  #pendingInput: PendingInput | undefined = new PendingInput();
  #connects = 0;

  constructor(options: EngineSessionOptions) {
    this.conn = options.conn;
    this.sid = options.sid;
    this.addressGroup = options.addressGroup;
    this.origin = options.whence.origin;
    this.ip = options.whence.ip;
    this.presented = options.presented;
    this.#tcps = options.tcp === undefined ? [] : [options.tcp];
    this.#slot = options.slot;
    this.#reading = options.reading;
    this.outbound = new Outbound(this.conn, this.#tcps, options.outbound);
    this.#slot.holder = this;
    closeWithin(this.conn, CLOSING_GRACE_MS);
    this.#deadline = setTimeout(() => this.refuse(refuse("connect_timeout")), options.connectTimeoutMs);
  }

  /** The way past Engine.IO, of its transport as it is now. */
  get wire(): Wire | undefined {
    if (this.#wire?.transport !== this.conn.transport) this.#wire = wireOf(this.conn);
    return this.#wire;
  }

  giveWay(): void {
    if (this.#connects === 0) this.refuse(refuse("connect_timeout"));
  }

  /** A WebSocket of this session runs over this TCP connection; it is destroyed with the session. */
  carry(tcp: Duplex): void {
    const open = this.#openTcps();
    this.#tcps.splice(0, Number.POSITIVE_INFINITY, ...open, tcp);
  }

  /** A poll comes in, and `pass` hands it to Engine.IO. Whoever left the answer before it unread would have the server keep both. */
  take(poll: OpenPoll, pass: () => void): void {
    const before = this.poll;
    if (before?.isLeft === true) {
      before.destroy();
      this.endWith(refuse("slow_consumer"));
    }
    this.#keep(poll);
    pass();
    if (poll.isRefused) this.#keep(before);
  }

  /** It polls no longer: its last poll is not kept for as long as the connection lives, unless its answer is still to be read. */
  upgraded(): void {
    if (this.state === "connected") allowLargeMessages(this.conn);
    this.#intake?.upgraded();
    if (this.poll?.isUnread === false) this.#keep(undefined);
  }

  #keep(poll: OpenPoll | undefined): void {
    this.poll = poll;
    this.outbound.poll = poll;
  }

  /** What `send` sends is one write, or one answer to a poll. */
  inOneWrite(send: () => void): void {
    const tcps = [...this.#tcps];
    for (const tcp of tcps) tcp.cork();
    try {
      inOneAnswer(this.conn, send);
    } finally {
      for (const tcp of tcps) tcp.uncork();
    }
  }

  /** Cut it off. */
  destroy(): void {
    for (const tcp of this.#tcps) tcp.destroy();
    this.poll?.destroy();
    this.post?.destroy();
  }

  /** It is being refused, a little later: its place is free for others. */
  giveUpPlace(): void {
    this.#slot?.release();
  }

  /** CONNECT went through: the deadline ends, and the place among the strangers is free. @returns its WebSocket's TCP connection */
  accept(): Duplex | undefined {
    this.#endPending();
    this.state = "connected";
    allowLargeMessages(this.conn);
    return this.#tcps.at(-1);
  }

  /** It carries a connection, which `end` ends. */
  begin(connectionId: string, end: (connectionId: string, refusal: Refusal) => void): void {
    this.#connectionId = connectionId;
    this.#endConnection = end;
  }

  /** Says why and ends the connection that it carries, if it does. */
  endWith(refusal: Refusal): void {
    if (this.#connectionId !== undefined) this.#endConnection?.(this.#connectionId, refusal);
  }

  /** Nothing that it sends counts any more. */
  get isEnding(): boolean {
    return this.state === "condemned" || this.state === "closing";
  }

  /** It will be told and closed soon; until then it may fetch what it is told, and do nothing. */
  condemn(): void {
    if (this.state === "connected") this.state = "condemned";
  }

  /** Answer CONNECT with a refusal (`err.data` of `connect_error`), then end the connection. */
  refuse(refusal: Refusal, namespace = ""): void {
    if (this.state === "closing") return;
    this.conn.send(connectError(refusal, namespace));
    this.end();
  }

  /** Close after what is queued was sent; what is not read in time is cut off. */
  end(): void {
    if (this.state === "closing") return;
    this.state = "closing";
    this.presented = undefined;
    this.seat?.release();
    this.outbound.writeHeld();
    clearTimeout(this.#deadline);
    this.#cutLater();
    this.#endInput();
    this.conn.close();
  }

  /** Engine.IO has done with the connection; its TCP connection may still wait for the client's farewell. */
  dispose(): void {
    // It may have ended within its own flush, before the engine says that the transport has what was queued.
    this.outbound.passedOn();
    this.outbound.writeHeld();
    this.#endPending();
    if (this.#openTcps().length > 0 || this.poll?.isUnread === true) this.#cutLater();
    this.state = "closing";
    this.#endInput();
    this.#endConnection = undefined;
    this.fanOut = undefined;
    this.seat?.release();
  }

  #endPending(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    this.presented = undefined;
    this.admitted = undefined;
    this.#pendingInput = undefined;
    this.#slot?.release();
    this.#slot = undefined;
  }

  #endInput(): void {
    this.post?.advance();
    this.#intake?.end();
  }

  #openTcps(): Duplex[] {
    return this.#tcps.filter((tcp) => !tcp.closed);
  }

  #cutLater(): void {
    // A loop that is late reads what has arrived first: a poll that came in time is answered.
    this.#cut ??= setTimeout(() => setImmediate(() => this.#cutOff()), CLOSING_GRACE_MS).unref();
  }

  #cutOff(): void {
    this.conn.close(true);
    this.destroy();
  }

  /** A packet is about to be queued: what the fan-out holds back for this client goes first, and what is unread is bounded. */
  beforeQueued(data: unknown): void {
    this.fanOut?.beforePacket();
    this.outbound.add(data, this);
  }

  endAsSlow(): void {
    if (this.state !== "connected") return;
    this.condemn();
    this.endWith(refuse("slow_consumer"));
  }

  /** What it sends, from its first packet after CONNECT on. */
  get intake(): Intake {
    this.#intake ??= new Intake({
      conn: this.conn,
      reading: this.#reading,
      name: this.sid,
      owner: this.owner,
      handOn: (data) => this.#handOn?.(data),
      outbound: this.outbound,
      endWith: (refusal) => this.endWith(refusal),
      endAsSlow: () => this.endAsSlow(),
    });
    return this.#intake;
  }

  get owner(): string {
    return this.identity?.key?.id ?? `address ${this.addressGroup}`;
  }

  /** What waits here for this client, or of its requests. */
  get heldBytes(): number {
    return (this.#intake?.heldBytes ?? 0) + this.outbound.unreadBytes;
  }

  /** The `auth` that came with CONNECT, once. */
  takeAuth(): Readonly<Record<string, unknown>> {
    return this.#pendingInput?.takeAuth() ?? {};
  }

  /** A packet of Engine.IO, before anybody else has seen it. Socket.IO ends a connection whose events come before CONNECT. */
  receive(type: string, data: unknown): void {
    this.#handOn ??= takeDataListener(this.conn);
    const tooMuch = this.#pendingInput?.add(data);
    if (tooMuch !== undefined) this.refuse(tooMuch);
    else if (type !== "message") this.#intake?.count();
    else if (typeof data === "string" && data.startsWith(CONNECT)) this.#inspectConnect(data);
    else if (this.state === "pending") this.#handOn?.(data);
    else if (this.state === "connected") this.intake.receive(data);
  }

  /** One CONNECT, to the root namespace: Socket.IO would answer hundreds a second. It is handed one without `auth`. */
  #inspectConnect(data: string): void {
    if (this.state === "closing") return;
    this.#connects += 1;
    const { namespace, auth } = splitConnect(data);
    const isRoot = namespace === "/";
    const refusal = isRoot ? this.#pendingInput?.setAuth(auth) : refuse("invalid_namespace");
    if (refusal !== undefined) this.refuse(refusal, isRoot ? "" : `${namespace},`);
    else if (this.#connects > 1) this.end();
    else this.#handOn?.(CONNECT);
  }
}
