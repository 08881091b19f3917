import { SerialQueue } from "../lib/serial-queue.ts";
import { TurnSlices } from "../lib/turn-slices.ts";
import { OpenCalls } from "../store/open-calls.ts";
import type { ExportedKey, ExportOptions, ImportOptions, ImportResult } from "./backup/key-backup.ts";
import type { HistoryEntry, HistoryPage } from "./history/key-history.ts";
import { StoredHistory } from "./history/stored-history.ts";
import type {
  CreatedKey,
  CreateManyResult,
  DeleteResult,
  KeyChange,
  KeyChangeListener,
  KeyPage,
  KeyStore,
  KnownKey,
  NewKey,
  RotateResult,
  Rotation,
  ScannedKey,
  ScanOptions,
  StoreMeta,
  UpdateResult,
} from "./key-store.ts";
import type { DeedLog } from "./log/deed-log.ts";
import type { StoreLog } from "./log/key-log.ts";
import { StoredDeeds } from "./log/stored-deeds.ts";
import { StoredLog } from "./log/stored-log.ts";
import { scanRecords } from "./record-scan.ts";
import { UnreadableRecordError } from "./records/errors.ts";
import { createIdSource, cursorOfId, idOfCursor } from "./records/key-id.ts";
import { isKeyId, type KeyRecord, type SettingsDocument, validSecret } from "./records/key-record.ts";
import { readable, recordUnlessUnreadable } from "./records/record-changes.ts";
import { parseText, RECORD_PREFIX, SECRET_PREFIX, type StoredEntries } from "./records/stored-entries.ts";
import { digestOf, isPossibleSecret } from "./secret/secret.ts";
import { StoredMeta } from "./stored-meta.ts";
import { type UnstoredChange, UnstoredChanges, type UnstoredListener } from "./unstored/unstored-changes.ts";
import type { KeyUsage, UsageReport } from "./usage/key-usage.ts";
import { StoredUsage } from "./usage/stored-usage.ts";
import { BulkWrites } from "./writes/bulk-writes.ts";
import { ChangeFeed } from "./writes/change-feed.ts";
import { KeyWrites } from "./writes/key-writes.ts";

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;

export type StoredKeysOptions = {
  readonly clock: () => number;
  readonly onListenerError: (error: unknown) => void;
  readonly maxLogEntries: number;
  readonly onUnstored: UnstoredListener | undefined;
  readonly auditDays: number;
};

/** The key store on any {@link KeyStorage}. Open it with `openKeyStore`. */
export class StoredKeys implements KeyStore {
  readonly meta: StoreMeta;
  readonly log: StoreLog;
  readonly deeds: DeedLog;
  readonly #entries: StoredEntries;
  readonly #clock: () => number;
  readonly #calls = new OpenCalls();
  readonly #feed: ChangeFeed;
  readonly #history: StoredHistory;
  readonly #usage: StoredUsage;
  readonly #writes: KeyWrites;
  readonly #bulkWrites: BulkWrites;
  readonly #unstored: UnstoredChanges;

  constructor(entries: StoredEntries, options: StoredKeysOptions) {
    this.#unstored = new UnstoredChanges(options.onUnstored);
    const { clock, onListenerError, maxLogEntries, auditDays } = options;
    this.#entries = entries;
    this.#clock = clock;
    this.#feed = new ChangeFeed(onListenerError);
    this.#history = new StoredHistory(entries);
    this.#usage = new StoredUsage(entries);
    const context = {
      entries,
      history: this.#history,
      feed: this.#feed,
      unstored: this.#unstored,
      queue: new SerialQueue(),
      clock,
      nextId: createIdSource(clock),
    };
    this.#writes = new KeyWrites(context);
    this.#bulkWrites = new BulkWrites(context);
    this.meta = new StoredMeta(entries, this.#calls);
    this.log = new StoredLog(entries, this.#calls, maxLogEntries);
    this.deeds = new StoredDeeds(entries, this.#calls, { clock, days: auditDays });
  }

  create(settings: SettingsDocument, options: { secret?: string; id?: string } = {}): Promise<CreatedKey> {
    return this.#calls.run(() => this.#writes.create(settings, options));
  }

  createMany(keys: readonly NewKey[]): Promise<CreateManyResult> {
    return this.#calls.run(() => this.#bulkWrites.createMany(keys));
  }

  get(id: string): Promise<KeyRecord | undefined> {
    return this.#calls.run(async () =>
      isKeyId(id) ? this.#effective(await this.#entries.record(id)) : undefined,
    );
  }

  get pendingWrites(): number {
    return this.#unstored.size;
  }

  unstoredOf(id: string): UnstoredChange | undefined {
    return this.#unstored.of(id);
  }

  #effective(stored: KeyRecord | undefined): KeyRecord | undefined {
    return stored && this.#unstored.effective(stored);
  }

  revision(): string | Promise<string> {
    return this.#entries.revision();
  }

  async findBySecret(secret: string): Promise<KeyRecord | undefined> {
    return isPossibleSecret(secret) ? this.findByDigest(digestOf(secret)) : undefined;
  }

  /** Asked for every connection: one call, without a function for its work. */
  async findByDigest(digest: string): Promise<KeyRecord | undefined> {
    this.#calls.begin();
    try {
      const text = await this.#entries.text(SECRET_PREFIX + digest);
      if (text === undefined) return undefined;
      const id = parseText(text, "a secret's entry");
      if (!isKeyId(id)) throw new UnreadableRecordError("a secret's entry", "damaged", "not a key id");
      const record = this.#effective(
        this.#entries.recordOf(id, await this.#entries.text(RECORD_PREFIX + id)),
      );
      // Only the record grants; the entry of the secret is a way to find it.
      if (record === undefined || validSecret(record, digest, this.#clock()) === undefined) return undefined;
      return record;
    } finally {
      this.#calls.end();
    }
  }

  list(options: { limit?: number; after?: string | undefined } = {}): Promise<KeyPage> {
    return this.#calls.run(async () => {
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
      const slices = new TurnSlices();
      for (const { key, text } of found.slice(0, limit)) {
        await slices.pause();
        last = key.slice(RECORD_PREFIX.length);
        const record = readable(last, text);
        if (record === undefined) unreadable.push(last);
        else items.push(this.#unstored.effective(record));
      }
      return { items, unreadable, next: found.length > limit ? cursorOfId(last) : null };
    });
  }

  scan(options: ScanOptions = {}): AsyncGenerator<ScannedKey, void> {
    return this.#scan(options);
  }

  #scan(options: ScanOptions): AsyncGenerator<ScannedKey, void> {
    const { known } = options;
    return scanRecords(this.#entries, (stored) => this.#unstored.effective(stored), {
      ...options,
      // What is in force without being stored is read, and so is what was in force until it was stored.
      known: (id) => (this.#unstored.of(id) === undefined ? known?.(id) : undefined),
    });
  }

  update(
    id: string,
    expectedVersion: number,
    change: (settings: SettingsDocument) => SettingsDocument,
  ): Promise<UpdateResult> {
    return this.#calls.run(() => this.#writes.update(id, expectedVersion, change));
  }

  rotate(id: string, expectedVersion: number | undefined, rotation: Rotation): Promise<RotateResult> {
    return this.#calls.run(() => this.#writes.rotate(id, expectedVersion, rotation));
  }

  delete(id: string, expectedVersion?: number): Promise<DeleteResult> {
    return this.#calls.run(() => this.#writes.delete(id, expectedVersion));
  }

  history(id: string, options?: { limit?: number; before?: number | undefined }): Promise<HistoryPage> {
    return this.#calls.run(() => this.#history.page(id, options));
  }

  versionOf(id: string, version: number): Promise<HistoryEntry | undefined> {
    return this.#calls.run(() => this.#history.entry(id, version));
  }

  recordUsage(reports: Iterable<UsageReport>): Promise<void> {
    return this.#calls.run(() => this.#usage.record(reports));
  }

  usageOf(ids: Iterable<string>): Promise<ReadonlyMap<string, KeyUsage | undefined>> {
    return this.#calls.run(() => this.#usage.of(ids));
  }

  async *exportAll({ onUnreadable }: ExportOptions = {}): AsyncGenerator<ExportedKey, void> {
    for await (const scanned of this.#scan({})) {
      if (scanned.state === "read") {
        if (!this.#unstored.isDeleted(scanned.record)) yield scanned.record;
      } else if (onUnreadable === undefined) await this.get(scanned.id);
      else onUnreadable(scanned.id);
    }
  }

  importAll(entries: readonly unknown[], options: ImportOptions): Promise<ImportResult> {
    return this.#calls.run(() => this.#bulkWrites.importAll(entries, options));
  }

  subscribe(listener: KeyChangeListener): () => void {
    return this.#feed.subscribe(listener);
  }

  sweep(known: Iterable<KnownKey>): Promise<KeyChange[]> {
    return this.#calls.run(async () => {
      const changes: KeyChange[] = [];
      const slices = new TurnSlices();
      for (const { id, version, createdAt } of known) {
        await slices.pause();
        const stored = await recordUnlessUnreadable(this.#entries, id);
        const now = stored === "unreadable" ? stored : this.#effective(stored);
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
    return this.#calls.close(async () => {
      await this.#unstored.close();
      this.#feed.clear();
      return this.#entries.disconnect();
    });
  }
}
