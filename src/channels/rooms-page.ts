/** The first names after a cursor in their order, and how many there are, without sorting all of them. */
export function pageOfNames(
  names: Iterable<string>,
  { prefix, after, limit }: { readonly prefix: string; readonly after: string; readonly limit: number },
): { readonly names: readonly string[]; readonly next: string | null; readonly total: number } {
  const found: string[] = [];
  let cutoff: string | undefined;
  let total = 0;
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    total += 1;
    if (name <= after || (cutoff !== undefined && name > cutoff)) continue;
    found.push(name);
    if (found.length < 2 * limit + 2) continue;
    found.sort().length = limit + 1;
    cutoff = found[limit];
  }
  const page = found.sort().slice(0, limit);
  return { names: page, next: found.length > limit ? (page.at(-1) ?? null) : null, total };
}
