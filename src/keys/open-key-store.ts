import type { KeyStorage } from "../store/key-storage.ts";
import { openKeyStorage } from "../store/storage-url.ts";
import type { KeyStore } from "./key-store.ts";
import { checkStoreSchema } from "./records/store-schema.ts";
import { StoredEntries } from "./records/stored-entries.ts";
import { StoredKeys } from "./stored-keys.ts";
import type { UnstoredListener } from "./unstored/unstored-changes.ts";

export type KeyStoreOptions = {
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  /** What a listener of the change feed threw; the write and the other listeners go on. */
  readonly onListenerError?: (error: unknown) => void;
  /** Told of each change that is in force although the storage did not take it. Absent: none is put in force. */
  readonly onUnstored?: UnstoredListener | undefined;
  /** How many entries the log keeps; default 50,000. */
  readonly maxLogEntries?: number;
  /** For how many days deeds are kept; 0: for ever; default 400. */
  readonly auditDays?: number;
};

/**
 * Opens the key store that a URL names, or on a storage, which then belongs to it: closing the store
 * disconnects it, and so does a refusal to open.
 * @throws UnreadableRecordError for a store that a newer program wrote to; StoreUnavailableError; StoreUrlError
 */
export async function openKeyStore(
  place: string | KeyStorage,
  options: KeyStoreOptions = {},
): Promise<KeyStore> {
  const {
    clock = Date.now,
    onListenerError = warn,
    onUnstored,
    maxLogEntries = 50_000,
    auditDays = 400,
  } = options;
  const storage = typeof place === "string" ? await openKeyStorage(place) : place;
  const entries = new StoredEntries(storage);
  try {
    await checkStoreSchema(entries);
  } catch (error) {
    await storage.disconnect();
    throw error;
  }
  return new StoredKeys(entries, { clock, onListenerError, onUnstored, maxLogEntries, auditDays });
}

function warn(error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error;
  process.emitWarning(
    `a listener of the key store's change feed failed: ${name}`,
    "KeyChangeListenerWarning",
  );
}
