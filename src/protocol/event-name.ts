import { hasControlCharacter } from "./channel-name.ts";
import type { ErrorCode } from "./error-table.ts";
import { LIMITS } from "./limits.ts";

const RESERVED_PREFIXES = ["channel:", "connection:", "server:", "user:"] as const;

/** Names that Socket.IO (server, client or its emitter) gives a meaning of their own. */
const RESERVED_NAMES = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/** Why a value cannot be sent as an event name, or `undefined` when it can. */
export function eventNameFault(
  value: unknown,
): Extract<ErrorCode, "invalid_event_name" | "reserved_event"> | undefined {
  if (
    typeof value !== "string" ||
    value.length === 0 ||
    value.length > LIMITS.eventNameMaxChars ||
    !value.isWellFormed() ||
    hasControlCharacter(value)
  ) {
    return "invalid_event_name";
  }
  if (RESERVED_NAMES.has(value) || RESERVED_PREFIXES.some((prefix) => value.startsWith(prefix))) {
    return "reserved_event";
  }
  return undefined;
}
