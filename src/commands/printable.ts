const STEERING = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * Text of somebody else's, made harmless for a terminal: controls, and the marks that turn the direction of what
 * follows (Trojan Source, CVE-2021-42574), are written as escapes, as JSON writes them. Line breaks and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(STEERING, (character) =>
    character === "\n" || character === "\t" ? character : escapeOf(character),
  );
}

/** The same in one line: text from elsewhere begins no line of its own, which would look like ours. */
export function printableLine(text: string): string {
  return text.replace(STEERING, escapeOf);
}

/**
 * JSON whose strings hold such characters as JSON's own escapes. It is the same JSON: a character beyond U+FFFF is two escapes, one for
 * each UTF-16 unit, as RFC 8259 wants it, and line breaks between the members stay.
 */
export function printableJson(json: string): string {
  return json.replace(STEERING, (character) => (character === "\n" ? character : escapeOf(character)));
}

/** One escape for each UTF-16 unit. */
function escapeOf(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
