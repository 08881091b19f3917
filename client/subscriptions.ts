import { type Joined, parseJoin } from "./answers.ts";
import { updateCall } from "./calls.ts";
import type { JoinOptions } from "./options.ts";
import type { Call } from "./outbox.ts";
import { HeardPosition } from "./positions.ts";
import { failure, localError, mayRetry, type Result, type SluiceError } from "./result.ts";
import { type Cancel, callAfter, Stopwatch } from "./timer.ts";

export type SubscriptionEvents = {
  /** Sends at once, ahead of what is queued. */
  readonly send: <T>(call: Call<T>) => Promise<Result<T>>;
  /** Whether a connection is ready to be sent to. */
  readonly isReady: () => boolean;
  /** A join that nobody waits for was refused. */
  readonly report: (error: SluiceError, channel: string | null, retrying: boolean) => void;
  /** The server has this client in the channel: the first time, or again after its connection was lost. */
  readonly joined: (channel: string, isAgain: boolean) => void;
  readonly ended: (channel: string) => void;
};

/** Somebody who waits for a join. */
type Waiter = {
  readonly settle: (result: Result<Joined>) => void;
  readonly called: Stopwatch;
  /** Ends the wait for a connection; a join that was sent has the outbox's own time. */
  cancel: Cancel;
};

/** A wish to be in a channel, from the first `join` until it is left or denied. A channel that is joined anew has another one. */
type Subscription = {
  readonly channel: string;
  options: JoinOptions;
  readonly heard: HeardPosition;
  /** The server took it, on this connection or an earlier one. */
  wasJoined: boolean;
  /** Joins that were sent on this connection and are not answered. */
  openJoins: number;
  waiters: Waiter[];
  cancelRetry: Cancel | undefined;
};

/** Codes of our own after which nobody knows whether the server has taken a join. */
const UNDECIDED: ReadonlySet<string> = new Set(["ack_timeout", "connection_lost"]);

const RETRY_MS = 2_000;
/** Joins on their way at once; the server refuses more than 1,000 requests at a time. */
const BATCH_SIZE = 100;

/**
 * What this client wants to be in, and what the server forgets with a connection: the profile, and the channels in the order in
 * which they were first joined. A join is a wish: it outlives timeouts, outages and what a retry may mend.
 */
export class Subscriptions {
  readonly #events: SubscriptionEvents;
  readonly #queueForMs: number;
  readonly #byChannel = new Map<string, Subscription>();
  #profile: { readonly data: unknown } | undefined;
  /** Counts connections, so that what a former one still answers is told apart. */
  #round = 0;

  constructor(events: SubscriptionEvents, queueForMs: number) {
    this.#events = events;
    this.#queueForMs = queueForMs;
  }

  get channels(): string[] {
    return [...this.#byChannel.keys()];
  }

  /** Resolves when the server has taken or refused it, or when its time is up; the wish lasts, unless it was denied. */
  join(channel: string, options: JoinOptions): Promise<Result<Joined>> {
    const subscription = this.#byChannel.get(channel) ?? this.#add(channel, options);
    subscription.options = options;
    return new Promise((resolve) => {
      const waiter: Waiter = {
        settle: (result) => {
          waiter.cancel();
          subscription.waiters = subscription.waiters.filter((other) => other !== waiter);
          resolve(result);
        },
        called: new Stopwatch(),
        cancel: () => {},
      };
      subscription.waiters.push(waiter);
      if (this.#events.isReady()) void this.#send(subscription, this.#round);
      else this.#waitForConnection(waiter);
    });
  }

  /** The wish is over. @returns whether there was one. */
  drop(channel: string, error: SluiceError): boolean {
    const subscription = this.#byChannel.get(channel);
    if (subscription === undefined) return false;
    this.#byChannel.delete(channel);
    subscription.cancelRetry?.();
    for (const { settle } of [...subscription.waiters]) settle(failure(error));
    this.#events.ended(channel);
    return true;
  }

  /** The server has ended the membership. A join that is on its way was sent after it, perhaps: its answer decides. */
  closed(channel: string, error: SluiceError): void {
    const subscription = this.#byChannel.get(channel);
    if (subscription === undefined || subscription.openJoins === 0) this.drop(channel, error);
    else subscription.wasJoined = false;
  }

  /** A message, or the word that there will be none, up to this place. */
  reach(channel: string, epoch: string, offset: number): void {
    this.#byChannel.get(channel)?.heard.reach(epoch, offset);
  }

  /** An own message has this place and is not sent back. */
  sent(channel: string, epoch: string, offset: number): void {
    this.#byChannel.get(channel)?.heard.sent(epoch, offset);
  }

  keepProfile(data: unknown): void {
    this.#profile = { data };
  }

  /** Resolves to false when the connection was lost meanwhile: the next one starts over. */
  async restore(): Promise<boolean> {
    this.suspend();
    const round = this.#round;
    // The profile goes first, so that other members see the join with it.
    await this.#restoreProfile(round);
    // What was joined in this very turn is on its way.
    const all = [...this.#byChannel.values()].filter(({ openJoins }) => openJoins === 0);
    for (let start = 0; start < all.length && round === this.#round; start += BATCH_SIZE) {
      await Promise.all(all.slice(start, start + BATCH_SIZE).map((each) => this.#send(each, round)));
    }
    return round === this.#round;
  }

  /** The connection is gone: stop what still tries on it. */
  suspend(): void {
    this.#round += 1;
    for (const subscription of this.#byChannel.values()) {
      subscription.cancelRetry?.();
      subscription.cancelRetry = undefined;
      subscription.openJoins = 0;
      for (const waiter of subscription.waiters) this.#waitForConnection(waiter);
    }
  }

  /** The connection is gone for good: nobody waits any longer, and `open()` joins all of them again. */
  end(error: SluiceError): void {
    this.suspend();
    for (const { waiters } of this.#byChannel.values()) {
      for (const { settle } of [...waiters]) settle(failure(error));
    }
  }

  #add(channel: string, options: JoinOptions): Subscription {
    const subscription: Subscription = {
      channel,
      options,
      heard: new HeardPosition(),
      wasJoined: false,
      openJoins: 0,
      waiters: [],
      cancelRetry: undefined,
    };
    this.#byChannel.set(channel, subscription);
    return subscription;
  }

  #waitForConnection(waiter: Waiter): void {
    waiter.cancel();
    waiter.cancel = callAfter(this.#queueForMs - waiter.called.elapsedMs, () =>
      waiter.settle(
        failure(localError("ack_timeout", "no connection yet: the client goes on trying to join")),
      ),
    );
  }

  async #restoreProfile(round: number): Promise<void> {
    if (this.#profile === undefined) return;
    const { error } = await this.#events.send({ ...updateCall(this.#profile.data), repeatable: "never" });
    if (error && round === this.#round) this.#events.report(error, null, false);
  }

  /** Asks the server for the channel, from where it was heard up to, and answers those who wait by now. */
  async #send(subscription: Subscription, round: number): Promise<void> {
    if (!this.#isCurrent(subscription)) return;
    const waiters = [...subscription.waiters];
    for (const waiter of waiters) waiter.cancel();
    const { channel } = subscription;
    subscription.openJoins += 1;
    const result = await this.#events.send({
      event: "join",
      payload: () => joinPayload(subscription),
      parse: parseJoin,
      repeatable: "never",
    });
    if (round !== this.#round) return;
    subscription.openJoins -= 1;
    if (!this.#isCurrent(subscription)) {
      // Left meanwhile, and perhaps joined anew: this answer is for those who asked, and changes nothing.
      for (const { settle } of waiters) settle(result);
      return;
    }
    const { data, error } = result;
    if (data) {
      const isAgain = subscription.wasJoined;
      subscription.wasJoined = true;
      subscription.heard.reach(data.epoch, data.offset);
      for (const { settle } of waiters) settle(result);
      this.#events.joined(channel, isAgain);
    } else this.#refused(subscription, error, waiters, round);
  }

  #refused(subscription: Subscription, error: SluiceError, waiters: readonly Waiter[], round: number): void {
    const { channel, wasJoined } = subscription;
    const retrying = mayRetry(error.code) || UNDECIDED.has(error.code);
    const isAwaited = waiters.length > 0;
    for (const { settle } of waiters) settle(failure(error));
    if (retrying) {
      subscription.cancelRetry?.();
      subscription.cancelRetry = callAfter(error.afterMs ?? RETRY_MS, () => {
        subscription.cancelRetry = undefined;
        void this.#send(subscription, round);
      });
    } else this.drop(channel, error);
    if (!isAwaited || wasJoined) this.#events.report(error, channel, retrying);
  }

  #isCurrent(subscription: Subscription): boolean {
    return this.#byChannel.get(subscription.channel) === subscription;
  }
}

function joinPayload({ channel, options: { echo }, heard }: Subscription): object {
  const since = heard.current;
  return {
    channel,
    ...(echo === undefined ? {} : { echo }),
    ...(since === undefined ? {} : { since }),
  };
}
