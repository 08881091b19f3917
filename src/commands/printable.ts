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

/** One escape for each UTF-16 unit: so that JSON stays JSON. */
function escapeOf(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
