import { LIMITS } from "./limits.ts";

/**
 * Channel names: 1 to 200 UTF-16 units, well-formed (no lone surrogates, which would make distinct strings
 * with equal UTF-8), no control characters, no surrounding white space, no `*` (patterns use it), and not
 * beginning with `$` (kept for the server).
 */
export function isChannelName(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= LIMITS.channelNameMaxChars &&
    value.charCodeAt(0) !== 0x24 &&
    !value.includes("*") &&
    value.isWellFormed() &&
    !hasControlCharacter(value) &&
    value.trim().length === value.length
  );
}

/** C0 and C1 controls, DEL, and the separators that some parsers read as line ends. */
export function hasControlCharacter(value: string): boolean {
  for (let i = 0; i < value.length; i += 1) {
    const unit = value.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f) || unit === 0x2028 || unit === 0x2029) return true;
  }
  return false;
}
