import { Keyv } from "keyv";
import { nanoid } from "nanoid";
import { DamagedEntryError, decodeEntry, encodeEntry, encodeEnvelope } from "../../store/entry-codec.ts";
import { StoreUnavailableError } from "../../store/errors.ts";
import {
  type Change,
  type Entry,
  type KeyStorage,
  type RangeOptions,
  REVISION_KEY,
} from "../../store/key-storage.ts";
import { UnreadableRecordError } from "./errors.ts";
import { type KeyRecord, parseKeyRecord } from "./key-record.ts";

export const RECORD_PREFIX = "key:";
export const SECRET_PREFIX = "secret:";

/** Keys of which the parsed record is kept. */
const MAX_PARSED = 1_000;

/**
 * The entries of a key store, read through Keyv, written through the storage's transactions:
 * `key:<id>` a record, `secret:<digest>` the id of the key that has it, `history:<id>:<version>` earlier settings,
 * `usage:<id>` counts, `log:<id>` an entry of the log, `deed:<sequence>` one of the chain of deeds and `deeds:head` its ends,
 * `meta:<name>` a small value, `store:schema` the newest schema that any program wrote here, `store:revision` a text that changes with
 * every write of a key. Every fault comes out as StoreUnavailableError.
 */
export class StoredEntries {
  readonly #storage: KeyStorage;
  readonly #keyv: Keyv<unknown>;
  /** Records as they were last read, by id, longest known first. */
  readonly #parsed = new Map<string, { readonly text: string; readonly record: KeyRecord }>();

  /** What this object's revisions begin with: no other process writes the same text. */
  readonly #writer = nanoid(12);
  #revisions = 0;

  constructor(storage: KeyStorage) {
    this.#storage = storage;
    this.#keyv = new Keyv<unknown>({
      store: storage,
      // Keyv's default turns a failed read into "not found" and a failed write into false.
      throwOnErrors: true,
      // Keyv's prefix is left out where a key happens to begin with it; ours are always there.
      useKeyPrefix: false,
      namespace: "",
      serialize: encodeEnvelope,
      // Without `expires`: no entry here has a time to live, and Keyv deletes what it takes for expired. Keyv
      // lets its caller say what the text holds; nobody here believes it: records are parsed.
      deserialize: <T>(text: string) => ({ value: decodeEntry(text) as T }),
    });
  }

  /** @throws UnreadableRecordError with `name` as its id */
  async value(key: string, name: string): Promise<unknown> {
    try {
      return await this.#keyv.get(key);
    } catch (error) {
      throw readFault(error, name);
    }
  }

  /** What is stored is read each time; only its parsing is spared while it stays the same. */
  async record(id: string): Promise<KeyRecord | undefined> {
    return this.recordOf(id, await this.text(RECORD_PREFIX + id));
  }

  /** The record of this id, whose stored text this is. @throws UnreadableRecordError */
  recordOf(id: string, text: string | undefined): KeyRecord | undefined {
    if (text === undefined) {
      this.#parsed.delete(id);
      return undefined;
    }
    const known = this.#parsed.get(id);
    if (known?.text === text) return known.record;
    const record = parseRecordText(id, text);
    this.#parsed.delete(id);
    this.#parsed.set(id, { text, record });
    if (this.#parsed.size > MAX_PARSED) {
      for (const oldest of this.#parsed.keys()) {
        this.#parsed.delete(oldest);
        break;
      }
    }
    return record;
  }

  /** As it is stored, for a compare-and-set. */
  async text(key: string): Promise<string | undefined> {
    try {
      return await this.#storage.get(key);
    } catch (error) {
      throw storeFault(error);
    }
  }

  range(prefix: string, options: RangeOptions): Promise<Entry[]> {
    return guard(() => this.#storage.range(prefix, options));
  }

  keys(prefix: string, options: RangeOptions): Promise<string[]> {
    return guard(() => this.#storage.keys(prefix, options));
  }

  async set(key: string, value: unknown): Promise<void> {
    if (!(await guard(() => this.#keyv.set(key, value)))) throw new StoreUnavailableError();
  }

  /** A write of a record or of a secret's entry changes the revision in its own transaction; nothing else does. */
  commit(changes: readonly Change[], options?: { readonly flushed: boolean }): Promise<boolean> {
    if (!changes.some(isOfKey)) return guard(() => this.#storage.commit(changes, options));
    this.#revisions += 1;
    const text = encodeEntry(`${this.#writer}${this.#revisions.toString(36)}`);
    return guard(() => this.#storage.commit([...changes, { key: REVISION_KEY, text }], options));
  }

  /** Changes with every write of a key, whoever writes. @throws or rejects with StoreUnavailableError */
  revision(): string | Promise<string> {
    try {
      const text = this.#storage.revision();
      if (typeof text === "string") return text;
      if (text === undefined) return "";
      return text.then(
        (found) => found ?? "",
        (error: unknown) => {
          throw storeFault(error);
        },
      );
    } catch (error) {
      throw storeFault(error);
    }
  }

  disconnect(): Promise<void> {
    return guard(() => this.#keyv.disconnect());
  }
}

/** Whether it writes what a look-up of a key reads. A condition alone writes nothing. */
function isOfKey(change: Change): boolean {
  if ("exists" in change) return false;
  return change.key.startsWith(RECORD_PREFIX) || change.key.startsWith(SECRET_PREFIX);
}

/** @throws UnreadableRecordError */
export function parseRecordText(id: string, text: string): KeyRecord {
  return parseKeyRecord(id, parseText(text, id));
}

/** @throws UnreadableRecordError */
export function parseText(text: string, name: string): unknown {
  try {
    return decodeEntry(text);
  } catch (error) {
    throw readFault(error, name);
  }
}

function readFault(error: unknown, name: string): Error {
  return error instanceof DamagedEntryError
    ? new UnreadableRecordError(name, "damaged", error.message)
    : storeFault(error);
}

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeFault(error);
  }
}

function storeFault(error: unknown): StoreUnavailableError {
  return error instanceof StoreUnavailableError
    ? error
    : new StoreUnavailableError(undefined, { cause: error });
}
