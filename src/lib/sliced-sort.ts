import { TurnSlices } from "./turn-slices.ts";

/** Sorted at once: below a millisecond. */
const RUN = 128;

/** A sorted copy, with turns of the event loop within the sorting. Stable, as `Array.prototype.sort` is. */
export async function sortInSlices<T>(list: readonly T[], compare: (a: T, b: T) => number): Promise<T[]> {
  const slices = new TurnSlices();
  let runs: T[][] = [];
  for (let at = 0; at < list.length; at += RUN) {
    runs.push(list.slice(at, at + RUN).sort(compare));
    await slices.pause();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      const [one = [], other = []] = [runs[at], runs[at + 1]];
      merged.push(other.length === 0 ? one : await merge(one, other, compare, slices));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(
  one: readonly T[],
  other: readonly T[],
  compare: (a: T, b: T) => number,
  slices: TurnSlices,
): Promise<T[]> {
  const merged: T[] = [];
  let [left, right] = [0, 0];
  while (left < one.length || right < other.length) {
    if (merged.length % RUN === 0) await slices.pause();
    const [a, b] = [one[left], other[right]];
    const isLeft = right >= other.length || (left < one.length && isFirst(a, b, compare));
    const next = isLeft ? a : b;
    if (isLeft) left += 1;
    else right += 1;
    if (next !== undefined) merged.push(next);
  }
  return merged;
}

function isFirst<T>(a: T | undefined, b: T | undefined, compare: (a: T, b: T) => number): boolean {
  return a !== undefined && (b === undefined || compare(a, b) <= 0);
}
