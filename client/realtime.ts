import {
  ERROR_TABLE,
  eventNameFault,
  isChannelName,
  type PresenceCount,
  type PresenceEvent,
} from "../src/protocol/index.ts";
import { type Joined, type MembersPage, parseNothing, parseSent, type Sent } from "./answers.ts";
import { membersCall, refused, updateCall } from "./calls.ts";
import { Complaints } from "./complaints.ts";
import { type Closing, Connection, type ConnectionState } from "./connection.ts";
import type { IncomingMessage, MessageObject } from "./events.ts";
import { Incoming } from "./incoming.ts";
import { type Off, Signal } from "./listeners.ts";
import { randomMessageId } from "./message-id.ts";
import type { ClosedChannel, Disconnect, Gap, RealtimeError } from "./notices.ts";
import type { JoinOptions, MembersOptions, SendOptions, Settings, UpdateOptions } from "./options.ts";
import { type Call, Outbox, type Repeatable } from "./outbox.ts";
import { failure, localError, type Result, type SluiceError, success } from "./result.ts";
import { Rosters } from "./rosters.ts";
import { Subscriptions } from "./subscriptions.ts";

/** This connection's id and this client's public id, as other members see them. */
export type Identity = { readonly id: string; readonly clientId: string };

/**
 * Channels over one realtime connection.
 *
 * Every method that returns a promise resolves to `{ data, error }` and never rejects: a refusal, an outage
 * and a timeout are an `error` with a stable `code`. Calls made while there is no connection wait for it, in
 * order, within `queueForMs`. After a reconnect the profile and the channels are put back first.
 */
export class Realtime {
  readonly #autoOpen: boolean;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #subscriptions: Subscriptions;
  readonly #rosters: Rosters;
  readonly #incoming: Incoming;
  readonly #complaints: Complaints;
  /** Where a call does not say, whether own messages come back. */
  readonly #echoMessages: boolean;
  readonly #connects = new Signal<Identity>();
  readonly #disconnects = new Signal<Disconnect>();
  readonly #closings = new Signal<Closing>();
  #opening: ((result: Result<Identity>) => void)[] = [];
  #endedBy: SluiceError | undefined;

  constructor(settings: Settings) {
    this.#autoOpen = settings.autoOpen;
    this.#echoMessages = settings.echoMessages;
    this.#complaints = new Complaints(settings.quiet);
    this.#connection = new Connection(settings, {
      ready: (isSameClient) => void this.#onReady(isSameClient),
      lost: (error) => this.#onLost(error),
      ended: (error, wasConnected) => this.#onEnded(error, wasConnected),
      failed: (error) => this.#onFailed(error),
      closing: (closing) => this.#closings.emit(closing),
      event: (name, payload) => this.#incoming.take(name, payload),
    });
    this.#outbox = new Outbox(this.#connection, settings);
    this.#subscriptions = new Subscriptions(
      {
        send: (call) => this.#outbox.callAhead(call),
        isReady: () => this.connected,
        report: (error, channel, retrying) => this.#report({ ...error, channel, retrying }),
        joined: (channel, isAgain) => {
          if (isAgain) void this.#rosters.reconcile(channel);
        },
        ended: (channel) => this.#rosters.forget(channel),
      },
      settings.queueForMs,
    );
    this.#rosters = new Rosters({
      fetch: (channel, after) =>
        this.#outbox.callAhead(
          membersCall(channel, { limit: 1_000, ...(after === undefined ? {} : { after }) }),
        ),
      joined: (channel, message) => this.#incoming.joins.emit({ channel, message }),
      left: (channel, message) => this.#incoming.leaves.emit({ channel, message }),
      updated: (channel, message) => this.#incoming.updates.emit({ channel, message }),
    });
    this.#incoming = new Incoming(this.#subscriptions, this.#rosters);
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

  /**
   * Become a member of a channel, and stay one across reconnects until `leave`. Refusals: `invalid_channel`, `channel_not_allowed`,
   * limits. After a timeout, or a refusal that time may mend, the client goes on trying by itself.
   */
  async join(channel: string, options?: JoinOptions | null): Promise<Result<Joined>> {
    if (!isChannelName(channel)) return refused("invalid_channel");
    this.#touch();
    const closed = this.#closedError();
    return closed === undefined ? this.#subscriptions.join(channel, options ?? {}) : failure(closed);
  }

  /** Stop being a member. Succeeds also when this client was no member. */
  async leave(channel: string, options?: JoinOptions | null): Promise<Result<null>> {
    if (!isChannelName(channel)) return refused("invalid_channel");
    this.#touch();
    this.#subscriptions.drop(channel, localError("aborted", "the channel was left before it was joined"));
    const closed = this.#closedError();
    if (closed !== undefined) return failure(closed);
    // A membership ends with its connection: there is nothing to leave.
    if (!this.connected) return success(null);
    const payload = { channel, ...options };
    const { error } = await this.#outbox.callAhead({ event: "leave", payload, parse: parseNothing });
    const isOver = error === null || error.code === "not_a_member" || error.code === "connection_lost";
    return isOver ? success(null) : failure(error);
  }

  /**
   * Send to a channel's members; being one is not needed. Resolves when the server has it, with its id and its
   * place in the channel. When the connection is lost before the answer it is sent again with the same id, and is
   * published once. After `ack_timeout` or `connection_lost` it may or may not have been published.
   */
  async send(
    channel: string,
    eventName: string,
    message: unknown,
    options?: SendOptions | null,
  ): Promise<Result<Sent>> {
    if (!isChannelName(channel)) return refused("invalid_channel");
    const id = options?.id ?? randomMessageId();
    const payload = { channel, eventName, message: message ?? null, ...options, id };
    const result = await this.#publish(payload, eventName, "as-same-client");
    const { epoch = "", offset = 0 } = result.data ?? {};
    const isEchoed = options?.echo ?? this.#echoMessages;
    if (!isEchoed) this.#subscriptions.sent(channel, epoch, offset);
    return result;
  }

  /**
   * Send to the connections of this client's key, or to everyone connected where the key's settings say so (`broadcastTo`).
   * Delivered at most once, and to nobody who is away.
   */
  async broadcast(eventName: string, message: unknown, options?: SendOptions | null): Promise<Result<Sent>> {
    return this.#publish({ eventName, message: message ?? null, ...options }, eventName, "never");
  }

  /** Share data about this client with the members of its channels; kept across reconnects. */
  async updateProfile(data: unknown, options?: UpdateOptions | null): Promise<Result<null>> {
    const result = await this.#call(updateCall(data, options?.echo));
    if (!result.error) this.#subscriptions.keepProfile(data);
    return result;
  }

  /** A page of a channel's members, how many there are in all, and where the next page begins. */
  async getMembers(channel: string, options?: MembersOptions | null): Promise<Result<MembersPage>> {
    if (!isChannelName(channel)) return refused("invalid_channel");
    const result = await this.#call(membersCall(channel, options ?? {}));
    const isFollowed = this.channels.includes(channel);
    if (result.data && isFollowed) this.#rosters.listed(channel, result.data, options?.after === undefined);
    return result;
  }

  /**
   * Listen to messages and broadcasts sent under an event name. Returns a function that stops it.
   * Throws a TypeError for a name that nobody can send, such as `connect`: see `onConnect` and its like.
   */
  on<Body = MessageObject>(eventName: string, fn: (message: IncomingMessage<Body>) => void): Off;
  on(eventName: string, fn: (message: IncomingMessage) => void): Off {
    return this.#listen(eventName, fn, false);
  }

  /** As `on`, for the next message only. */
  once<Body = MessageObject>(eventName: string, fn: (message: IncomingMessage<Body>) => void): Off;
  once(eventName: string, fn: (message: IncomingMessage) => void): Off {
    return this.#listen(eventName, fn, true);
  }

  /** Stop listening; without `fn`, every listener of that event name. */
  off<Body = MessageObject>(eventName: string, fn?: (message: IncomingMessage<Body>) => void): void;
  off(eventName: string, fn?: (message: IncomingMessage) => void): void {
    this.#incoming.messages.remove(eventName, fn);
  }

  /** Somebody joined one of this client's channels. Each of these returns a function that stops it. */
  onJoin = (fn: (event: PresenceEvent) => void): Off => this.#incoming.joins.add(fn);
  /** Somebody left one of this client's channels. */
  onLeave = (fn: (event: PresenceEvent) => void): Off => this.#incoming.leaves.add(fn);
  /** A member of one of this client's channels changed its profile. */
  onUpdate = (fn: (event: PresenceEvent) => void): Off => this.#incoming.updates.add(fn);
  /** How many members a channel has that is too large to tell of each; `mode: "events"`: it is small again. */
  onCount = (fn: (count: PresenceCount) => void): Off => this.#incoming.counts.add(fn);
  /** Connected, the first time or again. The channels are being joined again at this moment. */
  onConnect = (fn: (identity: Identity) => void): Off => this.#connects.add(fn);
  /** An open connection ended; `willReconnect` says whether the client comes back by itself. */
  onDisconnect = (fn: (disconnect: Disconnect) => void): Off => this.#disconnects.add(fn);
  /** The connection was refused or failed, or a channel could not be joined again. */
  onError = (fn: (error: RealtimeError) => void): Off => this.#incoming.errors.add(fn);
  /** The server is about to close this connection, and says why. */
  onClosing = (fn: (closing: Closing) => void): Off => this.#closings.add(fn);
  /** The server ended this client's membership of one channel. */
  onChannelClosed = (fn: (closed: ClosedChannel) => void): Off => this.#incoming.closedChannels.add(fn);
  /** Messages were missed and will not come. */
  onGap = (fn: (gap: Gap) => void): Off => this.#incoming.gaps.add(fn);

  #listen(eventName: string, fn: (message: IncomingMessage) => void, once: boolean): Off {
    const fault = eventNameFault(eventName);
    if (fault) throw new TypeError(`${eventName}: ${ERROR_TABLE[fault].message}`);
    this.#touch();
    return this.#incoming.messages.add(eventName, fn, once);
  }

  async #publish(payload: object, eventName: string, repeatable: Repeatable): Promise<Result<Sent>> {
    const fault = eventNameFault(eventName);
    if (fault) return refused(fault);
    return this.#call({ event: "message", payload, parse: parseSent, repeatable });
  }

  async #call<T>(call: Call<T>): Promise<Result<T>> {
    this.#touch();
    const closed = this.#closedError();
    return closed === undefined ? this.#outbox.call(call) : failure(closed);
  }

  /** Why there is no connection, and none on its way. */
  #closedError(): SluiceError | undefined {
    if (this.connected || this.state === "connecting") return undefined;
    if (this.#endedBy === undefined) return localError("not_connected");
    const { code, message } = this.#endedBy;
    return localError("not_connected", `the connection is closed (${code}: ${message}): call open()`);
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

  async #onReady(isSameClient: boolean): Promise<void> {
    this.#outbox.giveUpRepeats(isSameClient);
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
    this.#subscriptions.end(error);
    this.#rosters.clear();
    this.#outbox.end(error);
    this.#opened(failure(error));
    if (wasConnected) this.#disconnects.emit({ ...error, willReconnect: false });
    else if (error.code !== "client_close") this.#report({ ...error, channel: null, retrying: false });
    if (wasConnected && error.code !== "client_close" && !this.#disconnects.hasListeners)
      this.#complaints.say(error);
  }

  #onFailed(error: SluiceError): void {
    this.#opened(failure(error));
    this.#report({ ...error, channel: null, retrying: true });
  }

  #report(error: RealtimeError): void {
    if (!this.#incoming.errors.hasListeners) this.#complaints.say(error);
    this.#incoming.errors.emit(error);
  }
}
