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
import type { Rosters } from "./rosters.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Parses what the server sends by itself, notes it, and tells it to those who listen. */
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
  readonly #rosters: Rosters;

  constructor(subscriptions: Subscriptions, rosters: Rosters) {
    this.#subscriptions = subscriptions;
    this.#rosters = rosters;
  }

  take(name: string, payload: unknown): void {
    if (name === "channel:join") this.#onPresence(this.joins, parsePresence(payload));
    else if (name === "channel:leave") this.#onLeave(parsePresence(payload));
    else if (name === "channel:update") this.#onPresence(this.updates, parsePresence(payload));
    else if (name === "channel:presence") this.#onCount(parseCount(payload));
    else if (name === "channel:gap") this.#onGap(parseGap(payload));
    else if (name === "channel:error") emitParsed(this.errors, parseChannelError(payload));
    else if (name === "channel:closed") this.#onClosed(parseChannelClosed(payload));
    else this.#onMessage(name, parseMessage(payload));
  }

  #onPresence(signal: Signal<PresenceEvent>, event: PresenceEvent | undefined): void {
    if (event) this.#rosters.set(event.channel, event.message);
    emitParsed(signal, event);
  }

  #onLeave(event: PresenceEvent | undefined): void {
    if (event) this.#rosters.delete(event.channel, event.message);
    emitParsed(this.leaves, event);
  }

  /** Of a large channel nobody is told any more who comes and goes; with `events` everybody is again, and what was missed is read. */
  #onCount(count: PresenceCount | undefined): void {
    if (count?.mode === "events") void this.#rosters.reconcile(count.channel);
    else if (count) this.#rosters.forget(count.channel);
    emitParsed(this.counts, count);
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
    if (closed) this.#subscriptions.closed(closed.channel, { status: 0, ...closed });
    emitParsed(this.closedChannels, closed);
  }
}

function emitParsed<T>(signal: Signal<T>, payload: T | undefined): void {
  if (payload !== undefined) signal.emit(payload);
}
