/**
 * Text of somebody else's, made harmless for a terminal: controls, and the marks that turn the direction of what
 * follows (Trojan Source, CVE-2021-42574), are written as escapes. Line breaks and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    character === "\n" || character === "\t" ? character : escapeOf(character),
  );
}

function escapeOf(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
}
