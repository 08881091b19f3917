import type { SheddableConnections } from "../../overload/index.ts";
import type { Connection } from "./connection.ts";

type Holding = { readonly name: string; connections: number; heldBytes: number };

/** What each owner of these connections has; asked only while the node is overloaded. */
export function holdingsOf(connections: Iterable<Connection>): ReturnType<SheddableConnections["holdings"]> {
  const owners = new Map<string, Holding>();
  for (const connection of connections) {
    if (!connection.isOpen) continue;
    const { owner, heldBytes } = connection;
    const holding = owners.get(owner);
    if (holding === undefined) owners.set(owner, { name: owner, connections: 1, heldBytes });
    else {
      holding.connections += 1;
      holding.heldBytes += heldBytes;
    }
  }
  return owners.values();
}

/** Of an owner's connections those that hold most, at most `count`. */
export function heaviestOf(connections: Iterable<Connection>, owner: string, count: number): Connection[] {
  const open: { connection: Connection; heldBytes: number }[] = [];
  for (const connection of connections) {
    if (connection.isOpen && connection.owner === owner)
      open.push({ connection, heldBytes: connection.heldBytes });
  }
  open.sort((a, b) => b.heldBytes - a.heldBytes);
  return open.slice(0, count).map(({ connection }) => connection);
}
