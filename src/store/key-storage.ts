import { EventEmitter } from "node:events";
import { decodeEnvelope } from "./entry-codec.ts";
import { StoreUnavailableError } from "./errors.ts";

export type Entry = { readonly key: string; readonly text: string };

/**
 * One step of a transaction. A write: `expect` is the exact text that must be there, null for "nothing is there",
 * absent for "whatever is there"; `text: undefined` deletes. Or a condition alone: something must be there.
 */
export type Change =
  | { readonly key: string; readonly expect?: string | null; readonly text: string | undefined }
  | { readonly key: string; readonly exists: true };

/** The entry that every write of a key replaces, in its own transaction, with a text that was never there before. */
export const REVISION_KEY = "store:revision";

/** Beyond `after`, in the order of the keys or, with `reverse`, against it. */
export type RangeOptions = {
  readonly after?: string;
  readonly limit: number;
  readonly reverse?: boolean;
};

/**
 * A Keyv storage adapter with what Keyv does not have. Keyv offers get, set and delete of one entry: no
 * compare-and-set, no write of several entries at once, no order and no pages. None of these can be built on
 * top of it (two processes would race between its get and its set), so each backend brings them in its own
 * transaction: LMDB in a write transaction, memory in one synchronous step, Redis in a Lua script.
 */
export interface KeyStorage {
  /** Keyv refuses a store without `opts.url`. */
  readonly opts: { readonly url: string };
  namespace?: string | undefined;
  get(key: string): Promise<string | undefined>;
  /** Resolves when the entry is durable, as `commit` does. Keyv puts the time to live into the text. */
  set(key: string, text: string, ttl?: number): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  has(key: string): Promise<boolean>;
  /** Entries of the namespace, or all without one. */
  clear(): Promise<void>;
  iterator(namespace?: string): AsyncGenerator<[key: string, text: string], void>;
  /** Waits for what is being written, then frees everything. May be called again. */
  disconnect(): Promise<void>;
  on(event: string, listener: (...details: unknown[]) => void): this;

  /**
   * All of the changes, durable when the promise resolves to true, or none of them and false when an
   * expectation does not hold. `flushed: false`: they can be read when it resolves, and need not be durable yet.
   */
  commit(changes: readonly Change[], options?: { readonly flushed: boolean }): Promise<boolean>;
  /**
   * The text under {@link REVISION_KEY} in the newest commit of any process. Asked with every call that has a key, so it
   * answers without a promise where the backend can. @throws or rejects when the storage is away
   */
  revision(): string | undefined | Promise<string | undefined>;
  /** The first `limit` entries whose key begins with `prefix`. */
  range(prefix: string, options: RangeOptions): Promise<Entry[]>;
  /** The keys of what `range` gives, without reading the texts. */
  keys(prefix: string, options: RangeOptions): Promise<string[]>;
}

const PAGE = 1000;

/** What Keyv asks for, built on the three operations that differ between backends. */
export abstract class BaseStorage extends EventEmitter implements KeyStorage {
  readonly opts: { readonly url: string };
  namespace: string | undefined;

  constructor(url: string) {
    super();
    this.opts = { url };
  }

  abstract get(key: string): Promise<string | undefined>;
  abstract commit(changes: readonly Change[], options?: { readonly flushed: boolean }): Promise<boolean>;
  abstract revision(): string | undefined | Promise<string | undefined>;
  abstract range(prefix: string, options: RangeOptions): Promise<Entry[]>;
  abstract keys(prefix: string, options: RangeOptions): Promise<string[]>;
  abstract disconnect(): Promise<void>;

  set(key: string, text: string): Promise<boolean> {
    return this.commit([{ key, text }]);
  }

  async delete(key: string): Promise<boolean> {
    for (;;) {
      const text = await this.get(key);
      if (text === undefined) return false;
      if (await this.commit([{ key, expect: text, text: undefined }])) return true;
    }
  }

  async has(key: string): Promise<boolean> {
    const text = await this.get(key);
    if (text === undefined) return false;
    const { expires } = decodeEnvelope(text);
    return expires === undefined || Date.now() <= expires;
  }

  async clear(): Promise<void> {
    for (;;) {
      const keys = await this.keys(prefixOf(this.namespace), { limit: PAGE });
      if (keys.length === 0) return;
      await this.commit(keys.map((key) => ({ key, text: undefined })));
    }
  }

  async *iterator(namespace?: string): AsyncGenerator<[key: string, text: string], void> {
    let page = await this.range(prefixOf(namespace), { limit: PAGE });
    while (page.length > 0) {
      for (const { key, text } of page) yield [key, text];
      const last = page.at(-1);
      if (last === undefined) return;
      page = await this.range(prefixOf(namespace), { after: last.key, limit: PAGE });
    }
  }
}

/** The first text beyond all that begin with `prefix` (ASCII); undefined when there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  if (prefix === "") return undefined;
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** Whether the conditions of all changes hold, by what `get` finds. */
export function hold(changes: readonly Change[], get: (key: string) => string | undefined): boolean {
  return changes.every((change) => {
    if ("exists" in change) return get(change.key) !== undefined;
    return change.expect === undefined || (get(change.key) ?? null) === change.expect;
  });
}

export function closedError(): StoreUnavailableError {
  return new StoreUnavailableError("the key store is closed");
}

function prefixOf(namespace: string | undefined): string {
  return namespace === undefined ? "" : `${namespace}:`;
}
