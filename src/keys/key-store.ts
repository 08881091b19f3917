import type { KeyRecord, SettingsDocument } from "./key-record.ts";

export type KeyChange = {
  readonly type: "created" | "updated" | "deleted";
  readonly id: string;
  /** Undefined when the key is gone, or (updated) when what is stored cannot be read: it grants nothing. */
  readonly record: KeyRecord | undefined;
};

export type KeyChangeListener = (change: KeyChange) => void;

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

export type StoreMeta = {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  /** Of several who call this at once, in any process, one stores; all get the value that is in force. */
  setIfAbsent(name: string, value: string): Promise<{ readonly stored: boolean; readonly value: string }>;
};

/**
 * API keys. Each method rejects with StoreUnavailableError when the store is away, and never takes that for
 * "not found". Each write is on disk before its promise resolves.
 */
export interface KeyStore {
  /** Small named values: names of 1 to 63 characters of a-z, 0-9 and "-", beginning with a letter. */
  readonly meta: StoreMeta;

  /**
   * Stores a new key at version 1. Without `secret` it makes one; without `id` it makes one that sorts after
   * all that were made before. An id that is given sorts where its text belongs.
   * @throws DuplicateSecretError, DuplicateIdError, InvalidSecretError; TypeError for an id of another form
   */
  create(
    settings: SettingsDocument,
    options?: { readonly secret?: string; readonly id?: string },
  ): Promise<CreatedKey>;

  /** @throws UnreadableRecordError */
  get(id: string): Promise<KeyRecord | undefined>;

  /**
   * The key that has this secret, if the secret's time is not over. What could never be a secret (see
   * `isPossibleSecret`) is not looked up.
   * @throws UnreadableRecordError: deny
   */
  findBySecret(secret: string): Promise<KeyRecord | undefined>;

  /**
   * A page of keys in the order of their ids, which is that of their creation. `limit`: 1 to 1000, default 100.
   * @throws InvalidCursorError, RangeError
   */
  list(options?: { readonly limit?: number; readonly after?: string | undefined }): Promise<KeyPage>;

  /**
   * Replaces the settings if the key is still at `expectedVersion`, across processes. What `change` throws
   * comes out, and nothing is written.
   * @throws UnreadableRecordError
   */
  update(
    id: string,
    expectedVersion: number,
    change: (settings: SettingsDocument) => SettingsDocument,
  ): Promise<UpdateResult>;

  /**
   * Deletes the key and its secrets. Without `expectedVersion` also a damaged one.
   * @throws UnreadableRecordError for one of a newer schema, and for a damaged one with `expectedVersion`
   */
  delete(id: string, expectedVersion?: number): Promise<DeleteResult>;

  /**
   * Hears of each change that this store object makes: after it is durable, before the write's promise
   * resolves, and the changes of one key in their order. Changes of other processes come by `sweep`.
   * @returns ends the subscription
   */
  subscribe(listener: KeyChangeListener): () => void;

  /** What became of these keys since somebody read them, whoever changed them. One read per key asked for. */
  sweep(known: Iterable<KnownKey>): Promise<KeyChange[]>;

  /** Refuses new calls, waits for those under way, frees everything. May be called again. */
  close(): Promise<void>;
}
