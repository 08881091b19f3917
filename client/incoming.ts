import type { PresenceCount, PresenceEvent } from "../src/protocol/index.ts";
import { type IncomingMessage, parseCount, parseMessage, parsePresence } from "./events.ts";
import { Listeners, Signal } from "./listeners.ts";
import {
  type ClosedChannel,
  type Gap,
  parseChannelClosed,
  parseChannelError,
  parseGap,
  type RealtimeError,
} from "./notices.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What the server sends by itself: parsed, noted, and told to those who listen. */
export class Incoming {
  readonly messages = new Listeners<IncomingMessage>();
  readonly joins = new Signal<PresenceEvent>();
  readonly leaves = new Signal<PresenceEvent>();
  readonly updates = new Signal<PresenceEvent>();
  readonly counts = new Signal<PresenceCount>();
  readonly gaps = new Signal<Gap>();
  readonly closedChannels = new Signal<ClosedChannel>();
  readonly errors = new Signal<RealtimeError>();
  readonly #subscriptions: Subscriptions;

  constructor(subscriptions: Subscriptions) {
    this.#subscriptions = subscriptions;
  }

  take(name: string, payload: unknown): void {
    if (name === "channel:join") emitParsed(this.joins, parsePresence(payload));
    else if (name === "channel:leave") emitParsed(this.leaves, parsePresence(payload));
    else if (name === "channel:update") emitParsed(this.updates, parsePresence(payload));
    else if (name === "channel:presence") emitParsed(this.counts, parseCount(payload));
    else if (name === "channel:gap") this.#onGap(parseGap(payload));
    else if (name === "channel:error") emitParsed(this.errors, parseChannelError(payload));
    else if (name === "channel:closed") this.#onClosed(parseChannelClosed(payload));
    else this.#onMessage(name, parseMessage(payload));
  }

  #onMessage(name: string, message: IncomingMessage | undefined): void {
    if (message === undefined) return;
    // Noted first: what a listener throws does not undo that it was heard.
    if (message.channel !== null) this.#subscriptions.reach(message.channel, message.epoch, message.offset);
    this.messages.emit(name, message);
  }

  #onGap(gap: Gap | undefined): void {
    if (gap) this.#subscriptions.reach(gap.channel, gap.epoch, gap.before - 1);
    emitParsed(this.gaps, gap);
  }

  #onClosed(closed: ClosedChannel | undefined): void {
    if (closed) this.#subscriptions.drop(closed.channel);
    emitParsed(this.closedChannels, closed);
  }
}

function emitParsed<T>(signal: Signal<T>, payload: T | undefined): void {
  if (payload !== undefined) signal.emit(payload);
}
