import type { ConnectionPage, ConnectionQuery, ConnectionView } from "../gate.ts";
import type { Connection } from "./connection.ts";

/** Channels of a connection that a view names. */
const MAX_NAMED_CHANNELS = 20;

/** What a page needs to know of the hub. */
export type Memberships = {
  isMember(connectionId: string, channel: string): boolean;
  channelsOf(connectionId: string): readonly string[];
};

/**
 * A page of connections in the order of their arrival. Its cursor is the number of the last one's arrival, so that a page
 * goes on rightly although connections came and went. Looks at each once, and makes views of the page alone.
 */
export function pageOfConnections(
  connections: Iterable<Connection>,
  { channel, isFrom, limit, after }: ConnectionQuery,
  memberships: Memberships,
): ConnectionPage {
  const items: ConnectionView[] = [];
  let [total, last, hasMore] = [0, after, false];
  for (const connection of connections) {
    if (!connection.isOpen) continue;
    if (isFrom !== undefined && !isFrom(connection.ip)) continue;
    if (channel !== undefined && !memberships.isMember(connection.id, channel)) continue;
    total += 1;
    if (connection.arrival <= after) continue;
    if (items.length === limit) {
      hasMore = true;
      continue;
    }
    items.push(viewOf(connection, memberships.channelsOf(connection.id)));
    last = connection.arrival;
  }
  return { items, next: hasMore ? last : null, total };
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
