import {
  BaseStorage,
  type Change,
  closedError,
  type Entry,
  endOfPrefix,
  hold,
  type RangeOptions,
  REVISION_KEY,
} from "./key-storage.ts";

/** Changes beyond which sorting again is cheaper than moving each key into its place. */
const MAX_IN_PLACE = 100;

/** Entries in this process's memory: for tests. Nothing outlives `disconnect()`. */
export class MemoryStorage extends BaseStorage {
  readonly #texts = new Map<string, string>();
  /** Keys in order, made when a range is asked for. */
  #ordered: string[] | undefined;
  #closed = false;

  constructor() {
    super("memory:");
  }

  async get(key: string): Promise<string | undefined> {
    this.#check();
    return this.#texts.get(key);
  }

  revision(): string | undefined {
    this.#check();
    return this.#texts.get(REVISION_KEY);
  }

  async commit(changes: readonly Change[]): Promise<boolean> {
    this.#check();
    // No await between the comparison and the writes: that is the transaction.
    if (!hold(changes, (key) => this.#texts.get(key))) return false;
    if (changes.length > MAX_IN_PLACE) this.#ordered = undefined;
    for (const change of changes) {
      if ("exists" in change) continue;
      this.#place(change.key, change.text !== undefined);
      if (change.text === undefined) this.#texts.delete(change.key);
      else this.#texts.set(change.key, change.text);
    }
    return true;
  }

  async range(prefix: string, options: RangeOptions): Promise<Entry[]> {
    return this.#find(prefix, options).map((key) => ({ key, text: this.#texts.get(key) ?? "" }));
  }

  async keys(prefix: string, options: RangeOptions): Promise<string[]> {
    return this.#find(prefix, options);
  }

  async disconnect(): Promise<void> {
    this.#closed = true;
    this.#texts.clear();
    this.#ordered = undefined;
    this.removeAllListeners();
  }

  #find(prefix: string, options: RangeOptions): string[] {
    this.#check();
    this.#ordered ??= [...this.#texts.keys()].sort();
    const { after, limit, reverse = false } = options;
    const found: string[] = [];
    let i = reverse
      ? firstNotBefore(this.#ordered, lowest(after, endOfPrefix(prefix))) - 1
      : firstNotBefore(this.#ordered, after !== undefined && after > prefix ? after : prefix);
    for (; found.length < limit; i += reverse ? -1 : 1) {
      const key = this.#ordered[i];
      if (key === undefined || !key.startsWith(prefix)) break;
      if (key !== after) found.push(key);
    }
    return found;
  }

  /** Keeps the order when a key comes or goes. */
  #place(key: string, stays: boolean): void {
    if (this.#ordered === undefined || this.#texts.has(key) === stays) return;
    const index = firstNotBefore(this.#ordered, key);
    if (stays) this.#ordered.splice(index, 0, key);
    else this.#ordered.splice(index, 1);
  }

  #check(): void {
    if (this.#closed) throw closedError();
  }
}

/** Index of the first text that is not before `text`; without one, of the end. */
function firstNotBefore(ordered: readonly string[], text: string | undefined): number {
  if (text === undefined) return ordered.length;
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordered[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lowest(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
