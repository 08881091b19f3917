/** What a row of a list is known by while it is on the page. It stands in no settings. */
export type Row = { readonly row: number };

let last = 0;

export function newRow(): number {
  last += 1;
  return last;
}

/**
 * `after` with the rows of `before`, so that whoever is in one of them stays there: those of the same content, and
 * what is left in its order (the server writes an entry in its own way).
 */
export function withRowsOf<T extends Row>(before: readonly T[], after: readonly T[]): T[] {
  const known = new Map<string, number[]>();
  for (const one of before) {
    const content = contentOf(one);
    const rows = known.get(content);
    if (rows === undefined) known.set(content, [one.row]);
    else rows.push(one.row);
  }
  const found = after.map((one) => known.get(contentOf(one))?.shift());
  const taken = new Set(found);
  const left = before.filter(({ row }) => !taken.has(row));
  return after.map((one, index) => ({ ...one, row: found[index] ?? left.shift()?.row ?? one.row }));
}

function contentOf(one: Row): string {
  return JSON.stringify(one, (name, value: unknown) => (name === "row" ? undefined : value));
}
