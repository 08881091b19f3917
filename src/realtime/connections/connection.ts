import type { Socket } from "socket.io";
import { type Client, ownerOf } from "../../channels/index.ts";
import type { Asker, Charge, Gate, Identity, Verdict } from "../../gate/index.ts";
import { LoadAccount } from "../../overload/index.ts";
import type { AccessRequest, LimitKind } from "../../policy/index.ts";
import {
  type BroadcastAudience,
  type ConnectionClosing,
  isRetryable,
  type Refusal,
} from "../../protocol/index.ts";
import type { Seat } from "../admission/seats.ts";
import type { Outbound } from "../flow/outbound.ts";
import type { Turns } from "../flow/turns.ts";
import type { EngineSession } from "../sessions/engine-session.ts";

type ChannelAction = "join" | "publish" | "presence" | "history" | "broadcast";

/** One client that came through the gate: who it is and where it comes from, never a verdict about it. */
export class Connection {
  readonly id: string;
  readonly client: Client;
  readonly identity: Identity;
  /** Whether it hears its own messages, where a request does not say. */
  readonly echo: boolean;
  /** Its number among all that came; the registry's. */
  arrival = 0;
  readonly connectedAtMs = Date.now();
  readonly #socket: Socket;
  readonly #session: EngineSession;
  readonly #gate: Gate;
  #isTold = false;
  /** Of a connection without a key, once it has asked for something. */
  #ownLoad: LoadAccount | undefined;

  constructor(
    socket: Socket,
    session: EngineSession,
    identity: Identity,
    echo: boolean,
    gate: Gate,
    client: Client,
  ) {
    this.id = socket.id;
    this.client = client;
    this.identity = identity;
    this.echo = echo;
    this.#socket = socket;
    this.#session = session;
    this.#gate = gate;
  }

  get isOpen(): boolean {
    return this.#session.state === "connected" && this.#socket.connected;
  }

  get transport(): string {
    return this.#session.conn.transport.name;
  }

  /** It polls, and its poll waits for an answer. */
  get hasOpenPoll(): boolean {
    const { transport } = this.#session.conn;
    return transport.name === "polling" && transport.writable;
  }

  get seat(): Seat | undefined {
    return this.#session.seat;
  }

  get clientId(): string {
    return this.client.clientId;
  }

  get origin(): string | undefined {
    return this.#session.origin;
  }

  get ip(): string | null {
    return this.#session.ip;
  }

  /** Message ids are one's own per key and client. */
  get idempotencyScope(): string {
    return `${this.identity.key?.id ?? ""}/${this.client.clientId}`;
  }

  get turns(): Turns {
    return this.#session.intake.turns;
  }

  /** Bytes of the request that has just come in, with its attachments. */
  takeReceivedBytes(): number {
    return this.#session.intake.takeReceivedBytes();
  }

  /** Do what a request asks that takes so many bytes in memory, and count them as under way until it is answered. */
  async work<T>(bytes: number, task: () => Promise<T>): Promise<T> {
    const { intake } = this.#session;
    intake.begin(bytes);
    try {
      return await task();
    } finally {
      intake.finish(bytes);
    }
  }

  /** What waits here for this client, or of its requests. */
  get heldBytes(): number {
    return this.#session.heldBytes;
  }

  /** Whom its work and what it holds are charged to: its key, or the addresses that a connection without one comes from. */
  get owner(): string {
    return ownerOf(this.identity.key?.id, this.addressGroup);
  }

  /** Charges its owner with work that it caused, in microseconds. */
  addWork(cost: number): void {
    const { key } = this.identity;
    if (key !== null) key.load.add(cost);
    else {
      this.#ownLoad ??= new LoadAccount(this.owner, this.#gate.ledger);
      this.#ownLoad.add(cost);
    }
  }

  /** Whom a cap per address counts it with. */
  get addressGroup(): string {
    return this.#session.addressGroup;
  }

  /** The namespace is left: a client may stay as a nameless engine connection, but not here. */
  endSession(): void {
    this.#session.end();
  }

  /** May this connection stay? By the key as it is now. */
  mayConnect(): Verdict {
    return this.#gate.recheck(this.identity, { action: "connect", origin: this.origin, ip: this.ip });
  }

  /** May it do this, within its key's limits of this kind? A promise only where a limit counts. */
  charge(
    action: ChannelAction | "connect",
    channel: string | undefined,
    kind: LimitKind,
  ): Charge | Promise<Charge> {
    return this.#gate.charge(this.identity, this.#request(action, channel), this.#asker, kind);
  }

  /** Count what it has done and may always do. */
  count(kind: LimitKind): Promise<void> {
    return this.#gate.count(this.identity, this.ip, this.#asker, kind);
  }

  /** Whether what it asks is counted, so that it has to be asked about it in its turn. */
  isLimited(kind: LimitKind): boolean {
    return this.#gate.limitsOf(this.identity, kind).length > 0;
  }

  /** Whom its broadcasts reach now. */
  get audience(): BroadcastAudience {
    return this.#gate.audienceOf(this.identity);
  }

  get #asker(): Asker {
    return { connectionId: this.id, clientId: this.clientId };
  }

  /** May it still? Of what it was allowed before, and of what comes along with it. */
  mayStill(action: ChannelAction, channel: string): Verdict {
    return this.#gate.recheck(this.identity, this.#request(action, channel));
  }

  #request(action: ChannelAction | "connect", channel: string | undefined): AccessRequest {
    return { action, origin: this.origin, ip: this.ip, channel };
  }

  tell(eventName: string, payload: unknown): void {
    this.#socket.emit(eventName, payload);
  }

  /** See {@link Outbound.untilRead}. */
  untilRead(): Promise<void> | undefined {
    return this.#session.outbound.untilRead();
  }

  /** It is going to be ended: from now on nothing that it sends counts. */
  condemn(): void {
    this.#session.condemn();
  }

  /** Say why it is about to be ended, once. */
  tellClosing(refusal: Refusal): void {
    if (this.#isTold || this.#session.state === "closing" || !this.#socket.connected) return;
    this.#isTold = true;
    const { code, message, afterMs } = refusal;
    const closing: ConnectionClosing = {
      code,
      message,
      retry: isRetryable(code),
      ...(afterMs === undefined ? {} : { afterMs }),
    };
    this.tell("connection:closing", closing);
  }

  /**
   * Say why, then end it. A refusal that no retry can mend disconnects the namespace, which keeps
   * socket.io-client away; otherwise the engine is closed and the client comes back (measured: 0 and 90 of 90).
   */
  end(refusal: Refusal): void {
    if (this.#session.state === "closing" || !this.#socket.connected) return;
    this.#session.inOneWrite(() => {
      this.tellClosing(refusal);
      if (!isRetryable(refusal.code)) this.#socket.disconnect();
    });
    this.#session.end();
  }
}
