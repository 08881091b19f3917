import { printableLine } from "./printable.ts";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** What terminals draw over two columns (Unicode's East Asian wide and fullwidth, and emoji), and what they draw over none. */
const WIDE =
  /^(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f)/u;
const HALF_WIDTH = /^[\uff61-\uffdc]/u;
const NOTHING = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;

/** Rows under their heads, in columns as wide as their widest cell. Nothing in a cell can steer a terminal. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [heads, ...rows].map((row) => row.map((cell) => printableLine(cell)));
  const widths = heads.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, displayWidth(row[column] ?? "")), 0),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1 ? cell : cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell)),
        )
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** How many columns of a terminal a text takes. */
export function displayWidth(text: string): number {
  // ASCII, which most cells are.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    if (NOTHING.test(segment)) continue;
    width += WIDE.test(segment) && !HALF_WIDTH.test(segment) ? 2 : 1;
  }
  return width;
}
