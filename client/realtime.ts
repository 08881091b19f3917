import {
  ERROR_TABLE,
  type ErrorCode,
  eventNameFault,
  isChannelName,
  type PresenceCount,
  type PresenceEvent,
} from "../src/protocol/index.ts";
import {
  type Joined,
  type MembersPage,
  parseMembers,
  parseNothing,
  parseSent,
  type Sent,
} from "./answers.ts";
import { type Closing, Connection, type ConnectionState } from "./connection.ts";
import { type IncomingMessage, parseCount, parseMessage, parsePresence } from "./events.ts";
import { Listeners, type Off, Signal } from "./listeners.ts";
import {
  type ClosedChannel,
  type Disconnect,
  type Gap,
  parseChannelClosed,
  parseChannelError,
  parseGap,
  type RealtimeError,
} from "./notices.ts";
import type { JoinOptions, MembersOptions, SendOptions, Settings, UpdateOptions } from "./options.ts";
import { type Call, Outbox } from "./outbox.ts";
import { failure, localError, type Result, type SluiceError, success } from "./result.ts";
import { joinCall, Subscriptions, updateCall } from "./subscriptions.ts";

/** This connection's id and this client's public id, as other members see them. */
export type Identity = { readonly id: string; readonly clientId: string };

/**
 * Channels over one realtime connection.
 *
 * Every method that returns a promise resolves to `{ data, error }` and never rejects: a refusal, an outage
 * and a timeout are an `error` with a stable `code`. Calls made while there is no connection wait for it, in
 * order, within `ackTimeoutMs`. After a reconnect the profile and the channels are put back first.
 */
export class Realtime {
  readonly #autoOpen: boolean;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #subscriptions: Subscriptions;
  readonly #messages = new Listeners<IncomingMessage>();
  readonly #joins = new Signal<PresenceEvent>();
  readonly #leaves = new Signal<PresenceEvent>();
  readonly #updates = new Signal<PresenceEvent>();
  readonly #counts = new Signal<PresenceCount>();
  readonly #connects = new Signal<Identity>();
  readonly #disconnects = new Signal<Disconnect>();
  readonly #errors = new Signal<RealtimeError>();
  readonly #closings = new Signal<Closing>();
  readonly #closedChannels = new Signal<ClosedChannel>();
  readonly #gaps = new Signal<Gap>();
  #opening: ((result: Result<Identity>) => void)[] = [];
  #endedBy: SluiceError | undefined;

  constructor(settings: Settings) {
    this.#autoOpen = settings.autoOpen;
    this.#connection = new Connection(settings, {
      ready: () => void this.#onReady(),
      lost: (error) => this.#onLost(error),
      ended: (error, wasConnected) => this.#onEnded(error, wasConnected),
      failed: (error) => this.#onFailed(error),
      closing: (closing) => this.#closings.emit(closing),
      event: (name, payload) => this.#onEvent(name, payload),
    });
    this.#outbox = new Outbox(
      (event, payload, onAnswer) => this.#connection.transmit(event, payload, onAnswer),
      settings.ackTimeoutMs,
      settings.maxQueuedCalls,
    );
    this.#subscriptions = new Subscriptions(
      (call) => this.#outbox.callAhead(call),
      (error, channel, retrying) => this.#errors.emit({ ...error, channel, retrying }),
    );
  }

  /** `idle` before the first use, then `connecting`, `connected`, and `closed` when it stays away. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  get connected(): boolean {
    return this.#connection.state === "connected";
  }

  /** This connection's id, as other members see it; null while not connected. It changes with a reconnect. */
  get id(): string | null {
    return this.#connection.id;
  }

  /** This client's public id; null before the first connection. */
  get clientId(): string | null {
    return this.#connection.clientId;
  }

  /** The channels that this client has joined, in that order; they are joined again after a reconnect. */
  get channels(): string[] {
    return this.#subscriptions.channels;
  }

  /**
   * Open the connection, also again after it was closed; channels that were joined before are joined again.
   * Resolves when connected, refused, or when the first try fails (`network_error`: the client goes on trying).
   */
  open(): Promise<Result<Identity>> {
    if (this.connected) return Promise.resolve(this.#identity());
    return new Promise((resolve) => {
      this.#opening.push(resolve);
      this.#connection.open();
    });
  }

  /** Close the connection and stay away until `open()`. Calls that still wait resolve with `client_close`. */
  close(): void {
    this.#connection.close(localError("client_close"));
  }

  /** Become a member of a channel. Refusals: `invalid_channel`, `channel_not_allowed`, limits. */
  async join(channel: string, options: JoinOptions = {}): Promise<Result<Joined>> {
    if (!isChannelName(channel)) return refused("invalid_channel");
    const result = await this.#call(joinCall(channel, options));
    if (!result.error) this.#subscriptions.add(channel, options);
    return result;
  }

  /** Stop being a member. Succeeds also when this client was no member. */
  async leave(channel: string, options: JoinOptions = {}): Promise<Result<null>> {
    if (!isChannelName(channel)) return refused("invalid_channel");
    this.#subscriptions.drop(channel);
    const payload = { channel, ...options };
    const result = await this.#call({ event: "leave", payload, parse: parseNothing, repeatable: true });
    this.#subscriptions.drop(channel);
    return result.error?.code === "not_a_member" ? success(null) : result;
  }

  /**
   * Send to a channel's members; being one is not needed. Resolves when the server has it, with its id and its
   * place in the channel. After `ack_timeout` or `connection_lost` it may or may not have been published.
   */
  async send(
    channel: string,
    eventName: string,
    message: unknown,
    options: SendOptions = {},
  ): Promise<Result<Sent>> {
    if (!isChannelName(channel)) return refused("invalid_channel");
    return this.#publish({ channel, eventName, message: message ?? null, ...options }, eventName);
  }

  /** Send to everyone who is connected. Delivered at most once, and to nobody who is away. */
  async broadcast(eventName: string, message: unknown, options: SendOptions = {}): Promise<Result<Sent>> {
    return this.#publish({ eventName, message: message ?? null, ...options }, eventName);
  }

  /** Share data about this client with the members of its channels; kept across reconnects. */
  async updateProfile(data: unknown, options: UpdateOptions = {}): Promise<Result<null>> {
    const result = await this.#call(updateCall(data, options.echo));
    if (!result.error) this.#subscriptions.keepProfile(data);
    return result;
  }

  /** A page of a channel's members, how many there are in all, and where the next page begins. */
  async getMembers(channel: string, options: MembersOptions = {}): Promise<Result<MembersPage>> {
    if (!isChannelName(channel)) return refused("invalid_channel");
    const payload = { channel, ...options };
    return this.#call({ event: "members", payload, parse: parseMembers, repeatable: true });
  }

  /**
   * Listen to messages and broadcasts sent under an event name. Returns a function that stops it.
   * Throws a TypeError for a name that nobody can send, such as `connect`: see `onConnect` and its like.
   */
  on(eventName: string, fn: (message: IncomingMessage) => void): Off {
    return this.#listen(eventName, fn, false);
  }

  /** As `on`, for the next message only. */
  once(eventName: string, fn: (message: IncomingMessage) => void): Off {
    return this.#listen(eventName, fn, true);
  }

  /** Stop listening; without `fn`, every listener of that event name. */
  off(eventName: string, fn?: (message: IncomingMessage) => void): void {
    this.#messages.remove(eventName, fn);
  }

  /** Somebody joined one of this client's channels. Each of these returns a function that stops it. */
  onJoin = (fn: (event: PresenceEvent) => void): Off => this.#joins.add(fn);
  /** Somebody left one of this client's channels. */
  onLeave = (fn: (event: PresenceEvent) => void): Off => this.#leaves.add(fn);
  /** A member of one of this client's channels changed its profile. */
  onUpdate = (fn: (event: PresenceEvent) => void): Off => this.#updates.add(fn);
  /** How many members a channel has that is too large to tell of each; `mode: "events"`: it is small again. */
  onCount = (fn: (count: PresenceCount) => void): Off => this.#counts.add(fn);
  /** Connected, the first time or again. The channels are being joined again at this moment. */
  onConnect = (fn: (identity: Identity) => void): Off => this.#connects.add(fn);
  /** An open connection ended; `willReconnect` says whether the client comes back by itself. */
  onDisconnect = (fn: (disconnect: Disconnect) => void): Off => this.#disconnects.add(fn);
  /** The connection was refused or failed, or a channel could not be joined again. */
  onError = (fn: (error: RealtimeError) => void): Off => this.#errors.add(fn);
  /** The server is about to close this connection, and says why. */
  onClosing = (fn: (closing: Closing) => void): Off => this.#closings.add(fn);
  /** The server ended this client's membership of one channel. */
  onChannelClosed = (fn: (closed: ClosedChannel) => void): Off => this.#closedChannels.add(fn);
  /** Messages were missed and will not come. */
  onGap = (fn: (gap: Gap) => void): Off => this.#gaps.add(fn);

  #listen(eventName: string, fn: (message: IncomingMessage) => void, once: boolean): Off {
    const fault = eventNameFault(eventName);
    if (fault) throw new TypeError(`${eventName}: ${ERROR_TABLE[fault].message}`);
    this.#touch();
    return this.#messages.add(eventName, fn, once);
  }

  async #publish(payload: unknown, eventName: string): Promise<Result<Sent>> {
    const fault = eventNameFault(eventName);
    if (fault) return refused(fault);
    return this.#call({ event: "message", payload, parse: parseSent });
  }

  async #call<T>(call: Call<T>): Promise<Result<T>> {
    this.#touch();
    if (this.connected || this.state === "connecting") return this.#outbox.call(call);
    if (this.#endedBy === undefined) return failure(localError("not_connected"));
    const { code, message } = this.#endedBy;
    return failure(
      localError("not_connected", `the connection is closed (${code}: ${message}): call open()`),
    );
  }

  #touch(): void {
    if (this.#autoOpen && this.#connection.state === "idle") this.#connection.open();
  }

  #identity(): Result<Identity> {
    const { id, clientId } = this.#connection;
    return id === null ? failure(localError("not_connected")) : success({ id, clientId: clientId ?? "" });
  }

  #opened(result: Result<Identity>): void {
    for (const resolve of this.#opening.splice(0)) resolve(result);
  }

  async #onReady(): Promise<void> {
    const identity = this.#identity();
    this.#opened(identity);
    if (identity.data) this.#connects.emit(identity.data);
    if (await this.#subscriptions.restore()) this.#outbox.flow();
  }

  #onLost(error: SluiceError): void {
    this.#subscriptions.suspend();
    this.#outbox.hold(error.status === 0 ? error : localError("connection_lost"));
    this.#disconnects.emit({ ...error, willReconnect: true });
  }

  #onEnded(error: SluiceError, wasConnected: boolean): void {
    this.#endedBy = error;
    this.#subscriptions.suspend();
    this.#outbox.end(error);
    this.#opened(failure(error));
    if (wasConnected) this.#disconnects.emit({ ...error, willReconnect: false });
    else if (error.code !== "client_close") this.#errors.emit({ ...error, channel: null, retrying: false });
  }

  #onFailed(error: SluiceError): void {
    this.#opened(failure(error));
    this.#errors.emit({ ...error, channel: null, retrying: true });
  }

  #onEvent(name: string, payload: unknown): void {
    if (name === "channel:join") emitParsed(this.#joins, parsePresence(payload));
    else if (name === "channel:leave") emitParsed(this.#leaves, parsePresence(payload));
    else if (name === "channel:update") emitParsed(this.#updates, parsePresence(payload));
    else if (name === "channel:presence") emitParsed(this.#counts, parseCount(payload));
    else if (name === "channel:gap") emitParsed(this.#gaps, parseGap(payload));
    else if (name === "channel:error") emitParsed(this.#errors, parseChannelError(payload));
    else if (name === "channel:closed") this.#onChannelClosed(parseChannelClosed(payload));
    else {
      const message = parseMessage(payload);
      if (message) this.#messages.emit(name, message);
    }
  }

  #onChannelClosed(closed: ClosedChannel | undefined): void {
    if (closed) this.#subscriptions.drop(closed.channel);
    emitParsed(this.#closedChannels, closed);
  }
}

function refused<T>(code: ErrorCode): Result<T> {
  const { status, message } = ERROR_TABLE[code];
  return failure({ status, code, message });
}

function emitParsed<T>(signal: Signal<T>, payload: T | undefined): void {
  if (payload !== undefined) signal.emit(payload);
}
