import type { ConnectionPage, ConnectionQuery, ConnectionView } from "../../gate/index.ts";
import type { Steps } from "../../lib/slices.ts";
import type { Connection } from "./connection.ts";

/** Channels of a connection that a view names. */
const MAX_NAMED_CHANNELS = 20;

/** What a page needs to know of the hub. */
export type Memberships = {
  isMember(connectionId: string, channel: string): boolean;
  channelsOf(connectionId: string): readonly string[];
};

/** Connections that are looked at in one step. */
const STEP = 50;

/**
 * A page of connections in the order of their arrival. Its cursor is the number of the last one's arrival, so that a page
 * goes on rightly although connections came and went. Looks at each once, step by step, and makes views of the page alone.
 */
export class PageOfConnections {
  readonly #query: ConnectionQuery;
  readonly #memberships: Memberships;
  readonly #items: ConnectionView[] = [];
  #total = 0;
  #last: number;
  #hasMore = false;

  constructor(query: ConnectionQuery, memberships: Memberships) {
    this.#query = query;
    this.#memberships = memberships;
    this.#last = query.after;
  }

  *steps(connections: Iterable<Connection>): Steps {
    let looked = 0;
    for (const connection of connections) {
      if (looked % STEP === STEP - 1) yield;
      looked += 1;
      if (this.#isWanted(connection)) this.#take(connection);
    }
  }

  get result(): ConnectionPage {
    return { items: this.#items, next: this.#hasMore ? this.#last : null, total: this.#total };
  }

  #isWanted(connection: Connection): boolean {
    const { channel, isFrom } = this.#query;
    if (!connection.isOpen || (isFrom !== undefined && !isFrom(connection.ip))) return false;
    return channel === undefined || this.#memberships.isMember(connection.id, channel);
  }

  #take(connection: Connection): void {
    this.#total += 1;
    if (connection.arrival <= this.#query.after) return;
    if (this.#items.length === this.#query.limit) {
      this.#hasMore = true;
      return;
    }
    this.#items.push(viewOf(connection, this.#memberships.channelsOf(connection.id)));
    this.#last = connection.arrival;
  }
}

export function viewOf(connection: Connection, channels: readonly string[]): ConnectionView {
  const { id, clientId, identity, origin, ip, transport, connectedAtMs } = connection;
  const { key } = identity;
  return {
    id,
    clientId,
    keyId: key?.id ?? null,
    keyName: key?.policy?.settings.name ?? null,
    origin: origin ?? null,
    address: ip,
    transport,
    connectedAt: new Date(connectedAtMs).toISOString(),
    channels: channels.length,
    channelNames: channels.slice(0, MAX_NAMED_CHANNELS),
  };
}
