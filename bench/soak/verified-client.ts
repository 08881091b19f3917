import { io, type Socket } from "socket.io-client";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { nowMs } from "../crowd/child.ts";
import type { Ledger } from "./ledger.ts";

const Ready = Compile(Type.Object({ resume: Type.String(), clientId: Type.String() }));
const Position = Type.Object({ epoch: Type.String(), offset: Type.Number() });
const Joined = Compile(
  Type.Object({
    ok: Type.Literal(true),
    epoch: Type.String(),
    offset: Type.Number(),
    recovered: Type.Boolean(),
  }),
);
const Message = Compile(
  Type.Object({
    channel: Type.String(),
    epoch: Type.String(),
    offset: Type.Number(),
    message: Type.Object({ n: Type.Number(), sentMs: Type.Number() }),
  }),
);
const Gap = Compile(Type.Object({ channel: Type.String(), before: Type.Number(), reason: Type.String() }));
const Closed = Compile(Type.Object({ channel: Type.String() }));

type Position = Static<typeof Position>;
type Membership = {
  /** What it has heard; undefined until the first join is acknowledged. */
  position: Position | undefined;
  /** Heard before the acknowledgement that says from where. */
  readonly early: Position[];
  /** The number of the last message, which its publisher counts up. */
  n: number | undefined;
  state: "joining" | "joined" | "leaving";
};

export type VerifiedOptions = {
  readonly url: string;
  readonly apiKey: string;
  readonly transport: "websocket" | "polling";
  readonly ledger: Ledger;
  /** Every tenth client and the like: not all latencies are worth keeping. */
  readonly isTimed?: boolean;
};

const ANSWER_MS = 20_000;

/** A member that knows what it must hear: every offset once and in order, across its own reconnects. */
export class VerifiedClient {
  clientId = "";
  /** Codes of `connection:closing`, as they came. */
  readonly closings: string[] = [];
  /** Channels that the server closed to it. */
  readonly closedChannels: string[] = [];
  /** A gap is a fault unless the client was meant to miss something. */
  mayMiss = false;
  readonly #options: VerifiedOptions;
  readonly #memberships = new Map<string, Membership>();
  #socket: Socket | undefined;
  #resume: string | undefined;

  constructor(options: VerifiedOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#socket?.connected === true;
  }

  get channels(): string[] {
    return [...this.#memberships.keys()];
  }

  /** A connection of the same client as before, which rejoins what it was in and must have missed nothing. */
  async connect(): Promise<void> {
    const { url, apiKey, transport } = this.#options;
    const before = this.clientId;
    const socket = io(url, {
      path: "/realtime/",
      transports: [transport],
      reconnection: false,
      forceNew: true,
      auth: { apiKey, ...(this.#resume === undefined ? {} : { resume: this.#resume }) },
    });
    this.#socket = socket;
    socket.onAny((event: string, payload: unknown) => {
      if (this.#socket === socket) this.#receive(event, payload);
    });
    const ready = Ready.Parse(await firstOf(socket, "connection:ready", "connect_error"));
    if (before !== "" && before !== ready.clientId) this.#fault("another client after a resume", before);
    this.clientId = ready.clientId;
    this.#resume = ready.resume;
    this.#options.ledger.count("connections");
    for (const [channel, membership] of this.#memberships) await this.#rejoin(channel, membership);
  }

  async join(channel: string): Promise<void> {
    const membership: Membership = { position: undefined, early: [], n: undefined, state: "joining" };
    this.#memberships.set(channel, membership);
    const { epoch, offset } = Joined.Parse(await this.request("join", { channel }));
    membership.position = { epoch, offset };
    membership.state = "joined";
    for (const early of membership.early) this.#advance(channel, membership, early);
    this.#options.ledger.count("joins");
  }

  async leave(channel: string): Promise<void> {
    const membership = this.#memberships.get(channel);
    if (membership === undefined) return;
    membership.state = "leaving";
    await this.request("leave", { channel });
    this.#memberships.delete(channel);
    this.#options.ledger.count("leaves");
  }

  /** Forget a membership that the server has ended. */
  forget(channel: string): void {
    this.#memberships.delete(channel);
  }

  request(event: string, payload: unknown): Promise<unknown> {
    if (this.#socket === undefined) throw new Error("not connected");
    return this.#socket.timeout(ANSWER_MS).emitWithAck(event, payload);
  }

  /** Cut the connection under the client's feet; it says nothing to the server. */
  cut(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.io.engine.transport.close();
    socket?.io.engine.close();
    socket?.close();
  }

  /** Leave the old connection to the server, which must end it when the client comes back. */
  abandon(): () => void {
    const socket = this.#socket;
    this.#socket = undefined;
    return () => socket?.close();
  }

  disconnect(): void {
    this.#socket?.disconnect();
    this.#socket = undefined;
  }

  async #rejoin(channel: string, membership: Membership): Promise<void> {
    const since = membership.position;
    if (since === undefined) return;
    membership.state = "joined";
    const joined = Joined.Parse(await this.request("join", { channel, since }));
    const heard = membership.position;
    this.#options.ledger.count("recoveries");
    if (this.mayMiss) return;
    if (!joined.recovered) this.#fault("not recovered", `${channel} ${JSON.stringify({ since, joined })}`);
    if (heard?.epoch !== joined.epoch || heard.offset < joined.offset) {
      this.#fault("acknowledged before it was replayed", `${channel} ${JSON.stringify({ heard, joined })}`);
    }
  }

  #receive(event: string, payload: unknown): void {
    if (event === "connection:closing") this.closings.push(JSON.stringify(payload));
    else if (event === "channel:closed") this.closedChannels.push(Closed.Parse(payload).channel);
    else if (event === "channel:gap") this.#onGap(payload);
    else if (event === "channel:error") this.#fault("an error without a request", JSON.stringify(payload));
    else if (event === "tick") this.#onMessage(payload);
  }

  #onGap(payload: unknown): void {
    const { channel, before } = Gap.Parse(payload);
    this.#options.ledger.count("gaps said");
    const membership = this.#memberships.get(channel);
    if (!this.mayMiss) this.#fault("a gap for a healthy member", JSON.stringify(payload));
    if (membership?.position !== undefined)
      membership.position = { ...membership.position, offset: before - 1 };
    if (membership !== undefined) membership.n = undefined;
  }

  #onMessage(payload: unknown): void {
    const { channel, epoch, offset, message } = Message.Parse(payload);
    const { ledger, isTimed } = this.#options;
    ledger.count("messages checked");
    if (isTimed === true) ledger.latency(nowMs() - message.sentMs);
    const membership = this.#memberships.get(channel);
    if (membership === undefined) {
      this.#fault("heard without being a member", `${channel} ${offset}`);
      return;
    }
    // A publisher's messages have the offsets' order; those of HTTP have n = -1.
    if (message.n !== -1) {
      if (membership.n !== undefined && message.n !== membership.n + 1) {
        this.#fault("not the publisher's order", `${channel} ${offset}: ${membership.n} then ${message.n}`);
      }
      membership.n = message.n;
    }
    if (membership.position === undefined) membership.early.push({ epoch, offset });
    else this.#advance(channel, membership, { epoch, offset });
  }

  #advance(channel: string, membership: Membership, { epoch, offset }: Position): void {
    const last = membership.position;
    if (last?.epoch !== epoch || offset !== last.offset + 1) {
      const kind = last !== undefined && offset <= last.offset ? "heard twice" : "missed";
      this.#fault(kind, `${channel}: ${JSON.stringify(last)}, then ${epoch} ${offset}`);
    }
    membership.position = { epoch, offset };
  }

  #fault(kind: string, detail: string): void {
    this.#options.ledger.fault(kind, `${this.clientId} ${this.#options.transport} ${detail}`);
  }
}

/** The payload of the first event; rejects when the second comes before it, or nothing for long. */
function firstOf(socket: Socket, wanted: string, unwanted: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (end: () => void): void => {
      clearTimeout(timer);
      socket.off(wanted);
      socket.off(unwanted);
      end();
    };
    const timer = setTimeout(() => done(() => reject(new Error(`no ${wanted}`))), ANSWER_MS);
    socket.once(wanted, (payload: unknown) => done(() => resolve(payload)));
    socket.once(unwanted, (error: unknown) => done(() => reject(error)));
  });
}
