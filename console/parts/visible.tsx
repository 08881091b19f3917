// Control characters, zero widths, and what turns the direction of the text after it.
const HIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Somebody else's text with everything in it to be seen: what would hide or turn other text is written as an escape. */
export function visible(text: string): string {
  return text.replace(HIDDEN, escapeOf);
}

function escapeOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}

/** Somebody else's text on a page of ours: it cannot change what stands beside it. */
export function Foreign({ text, className }: { readonly text: string; readonly className?: string }) {
  return (
    <bdi className={className} title={text.length > 60 ? visible(text.slice(0, 400)) : undefined}>
      {visible(text)}
    </bdi>
  );
}
