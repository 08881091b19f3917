import type { Position } from "../../protocol/index.ts";
import type { Broker, Publication } from "../broker/broker.ts";
import { SERVER_OWNER } from "../clients/owner.ts";

/** Called while a message is on its way to the members: must be quick. */
export type TapListener = (publication: Publication, position: Position) => void;

/** Somebody who listens in without being a member. */
export type Tap = {
  /** Resolves when every later message is heard. */
  readonly ready: Promise<unknown>;
  end(): void;
};

export type TapsOptions = {
  readonly broker: Broker;
  readonly onFault: (error: unknown) => void;
  /** A channel that this node listens to anyway, for its members: when that is so. */
  readonly readyOf: (channel: string) => Promise<unknown> | undefined;
};

/** Who listens in on a channel. Keeps the broker's subscription of channels without members while they do. */
export class Taps {
  readonly #options: TapsOptions;
  readonly #listeners = new Map<string, Set<TapListener>>();

  constructor(options: TapsOptions) {
    this.#options = options;
  }

  /** How many channels are tapped. */
  get size(): number {
    return this.#listeners.size;
  }

  has(channel: string): boolean {
    return this.#listeners.has(channel);
  }

  add(channel: string, listener: TapListener): Tap {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners);
    // Its own function for each call, so that ending one tap of a listener leaves the others.
    const own: TapListener = (publication, position) => listener(publication, position);
    listeners.add(own);
    const { broker, onFault, readyOf } = this.#options;
    return {
      ready: readyOf(channel) ?? broker.subscribe(channel, SERVER_OWNER),
      end: () => {
        if (!listeners.delete(own) || listeners.size > 0) return;
        this.#listeners.delete(channel);
        if (readyOf(channel) === undefined) broker.unsubscribe(channel).catch(onFault);
      },
    };
  }

  tell(channel: string, publication: Publication, position: Position): void {
    for (const listener of this.#listeners.get(channel) ?? []) {
      try {
        listener(publication, position);
      } catch (error) {
        // The members, and the others who listen in, are to hear it all the same.
        this.#options.onFault(error);
      }
    }
  }
}
