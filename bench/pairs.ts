/** Two things that were measured one after the other. */
export type Pair<T> = { readonly own: T; readonly other: T };

/** Measure both in turn, as often as there are rounds; who is first alternates. */
export async function inPairs<T>(
  rounds: number,
  own: () => Promise<T>,
  other: () => Promise<T>,
): Promise<Pair<T>[]> {
  const pairs: Pair<T>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) {
      const first = await own();
      pairs.push({ own: first, other: await other() });
    } else {
      const first = await other();
      pairs.push({ own: await own(), other: first });
    }
  }
  return pairs;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - (1 - (sorted.length % 2))], sorted[middle]];
  return (low + high) / 2;
}

/** Ours divided by the other's. @throws for what is no measurement: such a figure must not look like a good one */
export function ratioOf<T>({ own, other }: Pair<T>, measureOf: (one: T) => number): number {
  const figures = [measureOf(own), measureOf(other)];
  if (!figures.every((figure) => Number.isFinite(figure) && figure > 0))
    throw new Error(`figures that cannot be: ${figures.join(" and ")}`);
  return measureOf(own) / measureOf(other);
}
