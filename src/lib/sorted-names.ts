/** Names in one array at most: moving them to make room for one more costs less than another level would. */
const MAX_CHUNK = 512;
/** A chunk that shrinks below this joins the next one if they fit well together. */
const MIN_CHUNK = MAX_CHUNK / 4;

export type NamesPage = {
  readonly prefix: string;
  /** The names come after this one; empty: from the first on. */
  readonly after: string;
  readonly limit: number;
};

/**
 * Names in their order (by UTF-16 unit, as `sort` and `<` have it), each once. Kept as sorted arrays of at most 512 names: to add, remove or find
 * one is a binary search over the arrays and one within, and a name costs little more than its place in an array.
 */
export class SortedNames {
  readonly #chunks: string[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns false when it was there. */
  add(name: string): boolean {
    const at = this.#chunkOf(name);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([name]);
      this.#size += 1;
      return true;
    }
    const index = indexIn(chunk, name);
    if (chunk[index] === name) return false;
    chunk.splice(index, 0, name);
    this.#size += 1;
    if (chunk.length > MAX_CHUNK) {
      // Names that are added in their order fill each array before the next begins.
      const isLast = at === this.#chunks.length - 1 && index === chunk.length - 1;
      this.#chunks.splice(at + 1, 0, chunk.splice(isLast ? MAX_CHUNK : MAX_CHUNK / 2));
    }
    return true;
  }

  /** @returns whether it was there. */
  delete(name: string): boolean {
    const at = this.#chunkOf(name);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const index = indexIn(chunk, name);
    if (chunk[index] !== name) return false;
    chunk.splice(index, 1);
    this.#size -= 1;
    if (chunk.length < MIN_CHUNK) this.#shrink(at, chunk);
    return true;
  }

  /** The first names with a prefix after another one. */
  page({ prefix, after, limit }: NamesPage): string[] {
    const found: string[] = [];
    const isAfter = after >= prefix;
    const from = isAfter ? after : prefix;
    let at = this.#chunkOf(from);
    let chunk = this.#chunks[at];
    if (chunk === undefined) return found;
    let index = indexIn(chunk, from);
    if (isAfter && chunk[index] === after) index += 1;
    while (found.length < limit) {
      const name = chunk[index];
      if (name === undefined) {
        at += 1;
        index = 0;
        chunk = this.#chunks[at];
        if (chunk === undefined) break;
        continue;
      }
      if (!name.startsWith(prefix)) break;
      found.push(name);
      index += 1;
    }
    return found;
  }

  /** How many names have this prefix: counted by whole arrays. */
  count(prefix: string): number {
    if (prefix === "") return this.#size;
    let at = this.#chunkOf(prefix);
    let chunk = this.#chunks[at];
    let index = chunk === undefined ? 0 : indexIn(chunk, prefix);
    let count = 0;
    while (chunk !== undefined) {
      const isWhole = index === chunk.length || chunk.at(-1)?.startsWith(prefix) === true;
      if (!isWhole) return count + endIn(chunk, prefix, index) - index;
      count += chunk.length - index;
      at += 1;
      index = 0;
      chunk = this.#chunks[at];
    }
    return count;
  }

  /** The array where a name is, or belongs: the last one that does not begin after it. */
  #chunkOf(name: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.[0] ?? "") <= name) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #shrink(at: number, chunk: string[]): void {
    const next = this.#chunks[at + 1];
    if (chunk.length === 0) {
      this.#chunks.splice(at, 1);
    } else if (next !== undefined && chunk.length + next.length <= MAX_CHUNK / 2) {
      for (const name of next) chunk.push(name);
      this.#chunks.splice(at + 1, 1);
    }
  }
}

/** The place of the first that is not before this name. */
function indexIn(chunk: readonly string[], name: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The place of the first that has not this prefix, of those from a place on where those with it come first. */
function endIn(chunk: readonly string[], prefix: string, from: number): number {
  let low = from;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (chunk[middle]?.startsWith(prefix) === true) low = middle + 1;
    else high = middle;
  }
  return low;
}
