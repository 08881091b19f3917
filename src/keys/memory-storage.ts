import { BaseStorage, type Change, closedError, type Entry } from "./key-storage.ts";

/** Entries in this process's memory: for tests. Nothing outlives `disconnect()`. */
export class MemoryStorage extends BaseStorage {
  readonly #texts = new Map<string, string>();
  /** Keys in order, made again when a range is asked for after keys came or went. */
  #ordered: string[] | undefined;
  #closed = false;

  constructor() {
    super("memory:");
  }

  async get(key: string): Promise<string | undefined> {
    this.#check();
    return this.#texts.get(key);
  }

  async commit(changes: readonly Change[]): Promise<boolean> {
    this.#check();
    // No await between the comparison and the writes: that is the transaction.
    for (const { key, expect } of changes) {
      if (expect !== undefined && (this.#texts.get(key) ?? null) !== expect) return false;
    }
    for (const { key, text } of changes) {
      if (this.#texts.has(key) !== (text !== undefined)) this.#ordered = undefined;
      if (text === undefined) this.#texts.delete(key);
      else this.#texts.set(key, text);
    }
    return true;
  }

  async range(
    prefix: string,
    options: { readonly after?: string; readonly limit: number },
  ): Promise<Entry[]> {
    this.#check();
    this.#ordered ??= [...this.#texts.keys()].sort();
    const { after, limit } = options;
    const start = after !== undefined && after >= prefix ? after : prefix;
    const entries: Entry[] = [];
    for (let i = firstNotBefore(this.#ordered, start); i < this.#ordered.length; i += 1) {
      const key = this.#ordered[i];
      if (entries.length >= limit || key === undefined || !key.startsWith(prefix)) break;
      const text = this.#texts.get(key);
      if (key !== after && text !== undefined) entries.push({ key, text });
    }
    return entries;
  }

  async disconnect(): Promise<void> {
    this.#closed = true;
    this.#texts.clear();
    this.#ordered = undefined;
    this.removeAllListeners();
  }

  #check(): void {
    if (this.#closed) throw closedError();
  }
}

/** Index of the first text that is not before `text`. */
function firstNotBefore(ordered: readonly string[], text: string): number {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordered[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
