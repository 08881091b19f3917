import { quote } from "./fault.ts";
import type { AccessRequest } from "./request.ts";
import type { Limit, LimitKind, SettingsInput } from "./settings.ts";

/**
 * What is wrong with a limit's name (trimmed, not empty), or null. It goes into header fields as it is: letters, digits
 * and, after the first, `-`, `_` and `.`.
 */
export function limitNameFault(name: string): string | null {
  for (let i = 0; i < name.length; i += 1) {
    const unit = name.charCodeAt(i);
    const lower = unit | 0x20;
    const isPlain = (lower >= 0x61 && lower <= 0x7a) || (unit >= 0x30 && unit <= 0x39);
    const isMark = unit === 0x2d || unit === 0x5f || unit === 0x2e;
    if (isPlain || (isMark && i > 0)) continue;
    return `"${quote(name)}" is no name of a limit: letters and digits, after the first also - _ .`;
  }
  return null;
}

/** The limits as they are stored, in their order. None at all and an empty list are the same. */
export function normalizeLimits(given: SettingsInput["limits"]): Limit[] | undefined {
  if (given === undefined || given.length === 0) return undefined;
  return given.map(({ name, limit, windowSeconds, per, kind }) => ({
    name,
    limit,
    windowSeconds,
    per: per ?? "connection",
    ...(kind === undefined || kind === "calls" ? {} : { kind }),
  }));
}

/** What limits count a request for this as; undefined: nothing. What has no action of its own (leaving, listing) is counted by who asks. */
export function limitKindOf(action: AccessRequest["action"]): LimitKind | undefined {
  if (action === "connect") return undefined;
  if (action === "join") return "joins";
  return action === "presence" || action === "history" ? "reads" : "calls";
}
