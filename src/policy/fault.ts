/** One thing wrong with the settings: where (RFC 6901 JSON pointer) and what, with the fix. */
export type Fault = { readonly pointer: string; readonly message: string };

/** The settings cannot be used. Thrown by parsing and compiling, never by a decision. Holds every fault. */
export class PolicyError extends Error {
  readonly code = "invalid_settings";
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    const shown = faults.slice(0, 3).map((fault) => `${fault.pointer || "(root)"}: ${fault.message}`);
    const more = faults.length > shown.length ? `; and ${faults.length - shown.length} more` : "";
    super(`the settings have ${faults.length === 1 ? "a fault" : "faults"}: ${shown.join("; ")}${more}`);
    this.name = "PolicyError";
    this.faults = faults;
  }
}

/** The pointer of a member or element below `parent`. A key is cut at 200 characters and made well-formed. */
export function pointerTo(parent: string, key: string | number): string {
  if (typeof key === "number") return `${parent}/${key}`;
  return `${parent}/${printable(key, QUOTE_MAX_CHARS).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

const QUOTE_MAX_CHARS = 200;

/**
 * Text of others inside a message of ours: at most 200 characters, nothing that a terminal, a log reader or a
 * right-to-left override would act on.
 */
export function quote(value: unknown): string {
  return typeof value === "string" ? printable(value, QUOTE_MAX_CHARS) : "(not text)";
}

function printable(text: string, maxChars: number): string {
  const cut = text.length > maxChars;
  let out = "";
  for (const character of (cut ? text.slice(0, maxChars) : text).toWellFormed()) {
    out += isInert(character.codePointAt(0) ?? 0) ? character : "\ufffd";
  }
  return cut ? `${out}…` : out;
}

/** Neither a control, nor a separator, nor an invisible or direction-changing format character. */
function isInert(point: number): boolean {
  if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) return false;
  if (point === 0xad || point === 0x61c || point === 0x180e || point === 0xfeff) return false;
  if (point >= 0x200b && point <= 0x200f) return false;
  if (point >= 0x2028 && point <= 0x202e) return false;
  if (point >= 0x2060 && point <= 0x206f) return false;
  return point < 0xe0000 || point > 0xe0fff;
}
