import type { Connection } from "../connections/connection.ts";

/** Whose the messages of nobody are: of handlers, operators, the server, and of connections that are gone. */
const NOBODY = "server";

/** Who published what is sent, as owners are named: an API key, or an address group. */
export function publisherOf(
  payload: unknown,
  connections: { get(id: string): Connection | undefined },
): string {
  const from = fieldOf(payload, "from");
  const key = fieldOf(from, "key");
  if (typeof key === "string") return key;
  const id = fieldOf(from, "id");
  return (typeof id === "string" ? connections.get(id)?.owner : undefined) ?? NOBODY;
}

function fieldOf(value: unknown, name: "from" | "key" | "id"): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
