import { setImmediate as nextTurn } from "node:timers/promises";
import { encodeEntry } from "./entry-codec.ts";
import {
  DuplicateIdError,
  DuplicateSecretError,
  InvalidSecretError,
  UnreadableRecordError,
} from "./errors.ts";
import { createIdSource, cursorOfId, idOfCursor } from "./key-id.ts";
import type { StoreLog } from "./key-log.ts";
import { isKeyId, KEY_SCHEMA, type KeyRecord, type SettingsDocument, validSecret } from "./key-record.ts";
import { type Change, closedError } from "./key-storage.ts";
import type {
  CreatedKey,
  DeleteResult,
  KeyChange,
  KeyChangeListener,
  KeyPage,
  KeyStore,
  KnownKey,
  StoreMeta,
  UpdateResult,
} from "./key-store.ts";
import { changesBetween, readable, storable, undamaged } from "./record-changes.ts";
import { createSecret, digestOf, hintOf, isPossibleSecret } from "./secret.ts";
import { SerialQueue } from "./serial-queue.ts";
import {
  parseRecordText,
  parseText,
  RECORD_PREFIX,
  SECRET_PREFIX,
  type StoredEntries,
} from "./stored-entries.ts";
import { StoredMeta } from "./stored-meta.ts";

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;
/** Reads of a sweep between two turns of the event loop. */
const SWEEP_SLICE = 200;

/** The key store on any {@link KeyStorage}. Open it with `openKeyStore`. */
export class StoredKeys implements KeyStore {
  readonly meta: StoreMeta;
  readonly log: StoreLog = { append: notBuilt, page: notBuilt };
  readonly #entries: StoredEntries;
  readonly #clock: () => number;
  readonly #onListenerError: (error: unknown) => void;
  readonly #nextId: () => string;
  readonly #listeners = new Set<KeyChangeListener>();
  /** Changes of one key one after the other, so that its listeners hear of them in their order. */
  readonly #queue = new SerialQueue();
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(entries: StoredEntries, clock: () => number, onListenerError: (error: unknown) => void) {
    this.#entries = entries;
    this.#clock = clock;
    this.#onListenerError = onListenerError;
    this.#nextId = createIdSource(clock);
    this.meta = new StoredMeta(entries, (work) => this.#run(work));
  }

  create(settings: SettingsDocument, options: { secret?: string; id?: string } = {}): Promise<CreatedKey> {
    return this.#run(async () => {
      const { secret = createSecret(), id = this.#nextId() } = options;
      if (!isPossibleSecret(secret)) throw new InvalidSecretError(faultOfSecret(secret));
      if (!isKeyId(id)) throw new TypeError("a key id is key_ and 1 to 60 letters and digits");
      return this.#queue.run(id, () => this.#create(id, secret, settings));
    });
  }

  get(id: string): Promise<KeyRecord | undefined> {
    return this.#run(async () => (isKeyId(id) ? this.#entries.record(id) : undefined));
  }

  findBySecret(secret: string): Promise<KeyRecord | undefined> {
    return this.#run(async () => {
      if (!isPossibleSecret(secret)) return undefined;
      const digest = digestOf(secret);
      const id = await this.#entries.value(SECRET_PREFIX + digest, "a secret's entry");
      if (id === undefined) return undefined;
      if (!isKeyId(id)) throw new UnreadableRecordError("a secret's entry", "damaged", "not a key id");
      const record = await this.#entries.record(id);
      // Only the record grants; the entry of the secret is a way to find it.
      if (record === undefined || validSecret(record, digest, this.#clock()) === undefined) return undefined;
      return record;
    });
  }

  list(options: { limit?: number; after?: string | undefined } = {}): Promise<KeyPage> {
    return this.#run(async () => {
      const { limit = PAGE_DEFAULT, after } = options;
      if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
        throw new RangeError(`limit: a whole number from 1 to ${PAGE_MAX}`);
      }
      const found = await this.#entries.range(RECORD_PREFIX, {
        ...(after === undefined ? {} : { after: RECORD_PREFIX + idOfCursor(after) }),
        limit: limit + 1,
      });
      const items: KeyRecord[] = [];
      const unreadable: string[] = [];
      let last = "";
      for (const { key, text } of found.slice(0, limit)) {
        last = key.slice(RECORD_PREFIX.length);
        const record = readable(last, text);
        if (record === undefined) unreadable.push(last);
        else items.push(record);
      }
      return { items, unreadable, next: found.length > limit ? cursorOfId(last) : null };
    });
  }

  update(
    id: string,
    expectedVersion: number,
    change: (settings: SettingsDocument) => SettingsDocument,
  ): Promise<UpdateResult> {
    return this.#run(() =>
      this.#queue.run(id, async () => {
        // A commit is refused only when the record changed after it was read; the second look says how.
        for (;;) {
          const text = isKeyId(id) ? await this.#entries.text(RECORD_PREFIX + id) : undefined;
          if (text === undefined) return { ok: false, reason: "not_found", currentVersion: null };
          const before = parseRecordText(id, text);
          if (before.version !== expectedVersion) {
            return { ok: false, reason: "version_conflict", currentVersion: before.version };
          }
          const record = storable({
            ...before,
            version: before.version + 1,
            settings: change(before.settings),
            updatedAt: this.#now(),
          });
          if (await this.#entries.commit(changesBetween(id, text, before, record))) {
            this.#notify({ type: "updated", id, record });
            return { ok: true, record };
          }
        }
      }),
    );
  }

  delete(id: string, expectedVersion?: number): Promise<DeleteResult> {
    return this.#run(() =>
      this.#queue.run(id, async () => {
        for (;;) {
          const text = isKeyId(id) ? await this.#entries.text(RECORD_PREFIX + id) : undefined;
          if (text === undefined) return { ok: false, reason: "not_found", currentVersion: null };
          const before = expectedVersion === undefined ? undamaged(id, text) : parseRecordText(id, text);
          if (before !== undefined && expectedVersion !== undefined && before.version !== expectedVersion) {
            return { ok: false, reason: "version_conflict", currentVersion: before.version };
          }
          if (await this.#entries.commit(changesBetween(id, text, before, undefined))) {
            this.#notify({ type: "deleted", id, record: undefined });
            return { ok: true };
          }
        }
      }),
    );
  }

  createMany(): Promise<never> {
    return notBuilt();
  }

  rotate(): Promise<never> {
    return notBuilt();
  }

  history(): Promise<never> {
    return notBuilt();
  }

  versionOf(): Promise<never> {
    return notBuilt();
  }

  recordUsage(): Promise<never> {
    return notBuilt();
  }

  usageOf(): Promise<never> {
    return notBuilt();
  }

  exportAll(): AsyncIterable<never> {
    throw new Error("not built yet");
  }

  importAll(): Promise<never> {
    return notBuilt();
  }

  subscribe(listener: KeyChangeListener): () => void {
    // Its own function for each call, so that ending one subscription of a listener leaves the others.
    const own: KeyChangeListener = (change) => listener(change);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  sweep(known: Iterable<KnownKey>): Promise<KeyChange[]> {
    return this.#run(async () => {
      const changes: KeyChange[] = [];
      let reads = 0;
      for (const { id, version, createdAt } of known) {
        reads += 1;
        if (reads % SWEEP_SLICE === 0) await nextTurn();
        const now = await this.#recordUnlessUnreadable(id);
        if (now === "unreadable") changes.push({ type: "updated", id, record: undefined });
        else if (now === undefined) changes.push({ type: "deleted", id, record: undefined });
        // createdAt: a key that was deleted and made again with the same id begins at version 1 again.
        else if (now.version !== version || now.createdAt !== createdAt) {
          changes.push({ type: "updated", id, record: now });
        }
      }
      return changes;
    });
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(() => {
      this.#listeners.clear();
      return this.#entries.disconnect();
    });
    return this.#closing;
  }

  async #create(id: string, secret: string, settings: SettingsDocument): Promise<CreatedKey> {
    const digest = digestOf(secret);
    const now = this.#now();
    const record = storable({
      schema: KEY_SCHEMA,
      id,
      version: 1,
      settings,
      secrets: [{ digest, hint: hintOf(secret), validUntil: null }],
      createdAt: now,
      updatedAt: now,
    });
    for (;;) {
      if ((await this.#entries.text(RECORD_PREFIX + id)) !== undefined) throw new DuplicateIdError(id);
      // One transaction: there is never a secret without its record, or a record that its secret does not find.
      const free = await this.#freeSecretText(digest);
      const changes: Change[] = [
        { key: RECORD_PREFIX + id, expect: null, text: encodeEntry(record) },
        { key: SECRET_PREFIX + digest, expect: free, text: encodeEntry(id) },
      ];
      if (await this.#entries.commit(changes)) {
        this.#notify({ type: "created", id, record });
        return { record, secret };
      }
    }
  }

  /**
   * What is stored under a digest that no key has: normally nothing, or an entry that was left by a record
   * that was deleted when it was damaged.
   * @throws DuplicateSecretError
   */
  async #freeSecretText(digest: string): Promise<string | null> {
    const text = await this.#entries.text(SECRET_PREFIX + digest);
    if (text === undefined) return null;
    const id = parseText(text, "a secret's entry");
    const record = isKeyId(id) ? await this.#recordUnlessUnreadable(id) : undefined;
    if (record === "unreadable" || record?.secrets.some((entry) => entry.digest === digest)) {
      throw new DuplicateSecretError();
    }
    return text;
  }

  async #recordUnlessUnreadable(id: string): Promise<KeyRecord | "unreadable" | undefined> {
    try {
      return await this.#entries.record(id);
    } catch (error) {
      if (error instanceof UnreadableRecordError) return "unreadable";
      throw error;
    }
  }

  #notify(change: KeyChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  #now(): string {
    return new Date(this.#clock()).toISOString();
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closedError();
    const result = work();
    this.#running.add(result);
    try {
      return await result;
    } finally {
      this.#running.delete(result);
    }
  }
}

/** Until the parts of the interface are in. */
function notBuilt(): Promise<never> {
  return Promise.reject(new Error("not built yet"));
}

function faultOfSecret(secret: string): string {
  return secret.startsWith("slc_")
    ? "this secret begins with slc_ and its checksum does not fit: it was mistyped"
    : "a secret has 1 to 512 characters, no control characters and no white space around it";
}
