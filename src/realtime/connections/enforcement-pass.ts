import { type Clients, type Hub, withdraw, withdrawWhere } from "../../channels/index.ts";
import type { Steps } from "../../lib/slices.ts";
import type { ChannelClosed, Refusal } from "../../protocol/index.ts";
import type { Connection } from "./connection.ts";

export type PassOptions = {
  readonly hub: Hub;
  readonly clients: Clients;
  readonly keyId: string;
  /** The key's connections as they are now. */
  readonly connections: () => readonly Connection[];
  /** A connection was taken out of the hub: it is to be told why, and closed. */
  readonly onEnding: (connection: Connection, refusal: Refusal) => void;
};

/**
 * Decides again for all connections of a key, and for its clients that are gone, step by step: between two steps others have their turn.
 * Each step decides by the key's newest settings. What changes them while it goes on makes it begin anew (`restart`), and a
 * connection that comes meanwhile is decided, too (`add`): at the end everybody has been decided by the settings of then.
 */
export class EnforcementPass {
  readonly #options: PassOptions;
  readonly #late: Connection[] = [];
  readonly #errors: unknown[] = [];
  #isStale = true;
  /** Resolves when it is over, once it takes more than its first slice. */
  done: Promise<void> | undefined;

  constructor(options: PassOptions) {
    this.#options = options;
  }

  /** The key has changed once more. */
  restart(): void {
    this.#isStale = true;
  }

  /** A connection of the key has come. */
  add(connection: Connection): void {
    this.#late.push(connection);
  }

  *steps(): Steps {
    const { clients, keyId, connections } = this.#options;
    while (this.#isStale) {
      this.#isStale = false;
      this.#late.length = 0;
      const all = connections();
      // Nobody is told of a leave who is about to leave, too.
      if (all.length > 1) this.#options.hub.dismiss([], true);
      yield* this.#decideAll(all);
      if (!this.#isStale) yield* clients.decideAgain(keyId);
      yield* this.#decideAll(this.#late);
    }
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  *#decideAll(connections: readonly Connection[]): Steps {
    for (const connection of connections) {
      if (this.#isStale) return;
      try {
        yield* this.#decide(connection, connections.length > 1);
      } catch (error) {
        // The others are to be decided all the same.
        this.#errors.push(error);
      }
      yield;
    }
  }

  *#decide(connection: Connection, holdLeaves: boolean): Steps {
    const { hub, onEnding } = this.#options;
    const verdict = connection.mayConnect();
    if (verdict.allowed) {
      yield* this.#decideMemberships(connection);
      this.#withdrawLost(connection);
      return;
    }
    // What is sent until its key lets it in again is not replayed to it.
    withdraw(connection.client);
    if (!connection.isOpen) return;
    connection.condemn();
    hub.dismiss([connection.id], holdLeaves);
    onEnding(connection, verdict);
  }

  *#decideMemberships(connection: Connection): Steps {
    const { hub } = this.#options;
    for (const channel of hub.channelsOf(connection.id)) {
      // It may have gone, or may have to, since the step before.
      if (!connection.isOpen || this.#isStale) return;
      const verdict = connection.mayStill("join", channel);
      if (verdict.allowed) {
        hub.setWatching(connection.id, channel, connection.mayStill("presence", channel).allowed);
      } else {
        hub.expel(connection.id, channel);
        const closed: ChannelClosed = { channel, code: verdict.code, message: verdict.message };
        connection.tell("channel:closed", closed);
      }
      yield;
    }
  }

  /** Also in channels that the client has attended and has not joined again yet. */
  #withdrawLost(connection: Connection): void {
    const { hub } = this.#options;
    withdrawWhere(connection.client, (channel) => {
      if (hub.isMember(connection.id, channel) || connection.mayStill("join", channel).allowed) return false;
      hub.expel(connection.id, channel);
      return true;
    });
  }
}
