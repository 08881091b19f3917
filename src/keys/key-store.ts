import type {
  ExportedKey,
  ExportOptions,
  ImportOptions,
  ImportResult,
  ListFault,
} from "./backup/key-backup.ts";
import type { HistoryEntry, HistoryPage } from "./history/key-history.ts";
import type { DeedLog } from "./log/deed-log.ts";
import type { StoreLog } from "./log/key-log.ts";
import type { KeyRecord, SettingsDocument } from "./records/key-record.ts";
import type { UnstoredChange } from "./unstored/unstored-changes.ts";
import type { KeyUsage, UsageReport } from "./usage/key-usage.ts";

export type KeyChange = {
  readonly type: "created" | "updated" | "deleted";
  readonly id: string;
  /** Undefined when the key is gone, or (updated) when what is stored cannot be read: it grants nothing. */
  readonly record: KeyRecord | undefined;
};

/** A listener that returns a promise makes the write wait for it. */
export type KeyChangeListener = (change: KeyChange) => unknown;

export type CreatedKey = {
  readonly record: KeyRecord;
  /** In clear, here and never again. */
  readonly secret: string;
};

/** Refused: the key is not there (no version), or somebody changed it in between. */
export type WriteRefusal =
  | { readonly ok: false; readonly reason: "not_found"; readonly currentVersion: null }
  | { readonly ok: false; readonly reason: "version_conflict"; readonly currentVersion: number };
export type UpdateResult = { readonly ok: true; readonly record: KeyRecord } | WriteRefusal;
export type Rotation = {
  /** ISO instant with a zone until which the older secrets work, at the latest; null: they end now. */
  readonly overlapUntil: string | null;
  /** Absent: a new one is made. */
  readonly secret?: string | undefined;
};
export type RotateResult =
  | {
      readonly ok: true;
      readonly record: KeyRecord;
      /** In clear, here and never again. */
      readonly secret: string;
    }
  | WriteRefusal
  | { readonly ok: false; readonly reason: "too_many_secrets"; readonly currentVersion: number };

export type NewKey = { readonly settings: SettingsDocument; readonly secret?: string | undefined };
export type CreateManyResult =
  | { readonly ok: true; readonly created: readonly CreatedKey[] }
  | { readonly ok: false; readonly faults: readonly ListFault[] };
export type DeleteResult = { readonly ok: true } | WriteRefusal;

export type KeyPage = {
  readonly items: readonly KeyRecord[];
  /** Ids of this page whose record cannot be read; such a key denies. Deleting it repairs the store. */
  readonly unreadable: readonly string[];
  /** Opaque; pass it as `after` for the next page. Null at the end. */
  readonly next: string | null;
};

/** What a reader of a key remembers of it; a {@link KeyRecord} is one. */
export type KnownKey = Pick<KeyRecord, "id" | "version" | "createdAt">;

/** What tells a record from every other one of the same id. */
export type KnownRecord = KnownKey & Pick<KeyRecord, "updatedAt">;
export type ScanOptions = {
  readonly after?: string | undefined;
  readonly limit?: number;
  readonly known?: (id: string) => KnownRecord | undefined;
};

/** A key that a scan comes to. `cursor` goes on after it. */
export type ScannedKey = { readonly id: string; readonly cursor: string } & (
  | { readonly state: "read"; readonly record: KeyRecord }
  /** It is the record that the asker knows. */
  | { readonly state: "known" }
  /** It grants nothing; deleting it repairs the store. */
  | { readonly state: "unreadable" }
);

export type StoreMeta = {
  /** Sees what any process set before. */
  get(name: string): Promise<string | undefined>;
  /** Sets or replaces, on disk before the promise resolves. */
  set(name: string, value: string): Promise<void>;
  /** Of several who call this at once, in any process, one stores; all get the value that is in force. */
  setIfAbsent(name: string, value: string): Promise<{ readonly stored: boolean; readonly value: string }>;
  /** Replaces exactly this value, in whatever process it was set. @returns whether it was the one in force */
  replace(name: string, expected: string, value: string): Promise<boolean>;
};

/**
 * API keys. Each method rejects with StoreUnavailableError when the store is away, and never takes that for
 * "not found". Each write is on disk before its promise resolves.
 *
 * A store that is opened with `onUnstored` puts a change that takes rights away (a deletion, a rotation without overlap, an
 * update that provably narrows) in force when the storage does not take it: readers and listeners see the key without them,
 * the write rejects with UnstoredChangeError, and it is tried again until it is stored or somebody writes the key.
 */
export interface KeyStore {
  /** Small named values: names of 1 to 63 characters of a-z, 0-9 and "-", beginning with a letter. */
  readonly meta: StoreMeta;
  /** Bounded by number: for what anybody can cause. */
  readonly log: StoreLog;
  /** Kept by time, each entry chained to the one before. */
  readonly deeds: DeedLog;

  /**
   * Stores a new key at version 1. Without `secret` it makes one; without `id` it makes one that sorts after
   * all that were made before. An id that is given sorts where its text belongs.
   * @throws DuplicateSecretError, DuplicateIdError, InvalidSecretError; TypeError for an id of another form
   */
  create(
    settings: SettingsDocument,
    options?: { readonly secret?: string; readonly id?: string },
  ): Promise<CreatedKey>;

  /**
   * Stores new keys, all in one transaction or none. Faults: secrets that could not be looked up, and those that
   * are in the list twice or that another key has; pointers are `/<index>/secret`.
   */
  createMany(keys: readonly NewKey[]): Promise<CreateManyResult>;

  /** @throws UnreadableRecordError */
  get(id: string): Promise<KeyRecord | undefined>;

  /**
   * A text that changes with every write of a key by any process, in that write's own transaction, and with nothing
   * else. Two that are equal mean that no key was written between them. Answers at once where the storage can.
   * @throws or rejects with StoreUnavailableError
   */
  revision(): string | Promise<string>;

  /**
   * The key that has this secret, if the secret's time is not over. What could never be a secret (see
   * `isPossibleSecret`) is not looked up.
   * @throws UnreadableRecordError: deny
   */
  findBySecret(secret: string): Promise<KeyRecord | undefined>;

  /** The same for whoever has the secret's digest already (see `digestOf`). */
  findByDigest(digest: string): Promise<KeyRecord | undefined>;

  /**
   * A page of keys in the order of their ids, which is that of their creation. `limit`: 1 to 1000, default 100.
   * @throws InvalidCursorError, RangeError
   */
  list(options?: { readonly limit?: number; readonly after?: string | undefined }): Promise<KeyPage>;

  /**
   * Every key in the order of ids, after a cursor, one by one and with turns of the event loop between them: for what may be many
   * keys, or large ones. A key that is as `known` says is not read.
   * @throws InvalidCursorError
   */
  scan(options?: ScanOptions): AsyncIterable<ScannedKey>;

  /**
   * Replaces the settings and keeps the earlier ones in the history if the key is still at `expectedVersion`, across processes. What `change` throws
   * comes out, and nothing is written.
   * @throws UnreadableRecordError
   */
  update(
    id: string,
    expectedVersion: number,
    change: (settings: SettingsDocument) => SettingsDocument,
  ): Promise<UpdateResult>;

  /**
   * Adds a secret, the first in the record from then on, and lets the older ones end: each at the earlier of its own
   * end and `overlapUntil`. A key has at most 5 secrets at once; beyond that, `too_many_secrets`. Settings stay as
   * they are. Secrets whose time is over leave the record and the store with this and every other write of the key.
   * Without a version it takes the newest, whoever else writes meanwhile.
   * @throws DuplicateSecretError, InvalidSecretError, UnreadableRecordError; TypeError for an instant of another form
   */
  rotate(id: string, expectedVersion: number | undefined, rotation: Rotation): Promise<RotateResult>;

  /**
   * Earlier settings, newest first. `limit`: 1 to 100, default 20; `before`: a version. The last 100 are kept.
   * Empty for a key that is not there.
   * @throws RangeError
   */
  history(
    id: string,
    options?: { readonly limit?: number; readonly before?: number | undefined },
  ): Promise<HistoryPage>;

  /**
   * One entry of the history. Undefined for the current version and those whose settings are no longer kept.
   * @throws UnreadableRecordError
   */
  versionOf(id: string, version: number): Promise<HistoryEntry | undefined>;

  /**
   * Adds to what is stored of these keys' usage; ids of no key are skipped. Changes no version, tells no listener,
   * and does not wait for the disk.
   * @throws TypeError for reports of another form
   */
  recordUsage(reports: Iterable<UsageReport>): Promise<void>;

  /** Usage by id. An id that is absent was never used; one with undefined has an entry that cannot be read. */
  usageOf(ids: Iterable<string>): Promise<ReadonlyMap<string, KeyUsage | undefined>>;

  /**
   * Every key, for a backup, in the order of ids. Each is as it was at one instant, and they are read one page
   * after the other: a write meanwhile is in the backup if its key's page comes later.
   * @throws UnreadableRecordError unless `onUnreadable` is given
   */
  exportAll(options?: ExportOptions): AsyncIterable<ExportedKey>;

  /**
   * Stores exported keys, all in one transaction or none. A new key keeps its version and instants; one that is
   * replaced gets a version above both, and its settings so far go to the history. Pointers of faults: `/<index>/…`.
   */
  importAll(entries: readonly unknown[], options: ImportOptions): Promise<ImportResult>;

  /**
   * Deletes the key, its secrets, history and usage. Without `expectedVersion` also a damaged one.
   * @throws UnreadableRecordError for one of a newer schema, and for a damaged one with `expectedVersion`
   */
  delete(id: string, expectedVersion?: number): Promise<DeleteResult>;

  /**
   * Hears of each change that this store object makes: after it is durable, before the write's promise
   * resolves, which waits for what a listener returns; and the changes of one key in their order. Changes of other processes come by `sweep`.
   * @returns ends the subscription
   */
  subscribe(listener: KeyChangeListener): () => void;

  /** Changes that are in force here and that the store has not taken yet. While there are any, a restart loses them. */
  readonly pendingWrites: number;

  /** The one of a key. */
  unstoredOf(id: string): UnstoredChange | undefined;

  /** What became of these keys since somebody read them, whoever changed them. One read per key asked for. */
  sweep(known: Iterable<KnownKey>): Promise<KeyChange[]>;

  /** Refuses new calls, waits for those under way, frees everything. May be called again. */
  close(): Promise<void>;
}
