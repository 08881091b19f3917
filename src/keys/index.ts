export { StoreUnavailableError, StoreUrlError } from "../store/errors.ts";
export type { Change, Entry, KeyStorage, RangeOptions } from "../store/key-storage.ts";
export { backUpStore } from "../store/lmdb-backup.ts";
export { openKeyStorage } from "../store/storage-url.ts";
export type { AgnostKey, AgnostKeys } from "./agnost-import.ts";
export { readAgnostKeys, readManyAgnostKeys } from "./agnost-import.ts";
export type { BrokenLink, ChainCheck, ChainPlace, DeedLog } from "./deed-log.ts";
export {
  DuplicateIdError,
  DuplicateSecretError,
  InvalidCursorError,
  InvalidSecretError,
  UnreadableRecordError,
  UnstoredChangeError,
} from "./errors.ts";
export type {
  ExportedKey,
  ExportOptions,
  ImportOptions,
  ImportResult,
  ListFault,
} from "./key-backup.ts";
export type { HistoryEntry, HistoryPage } from "./key-history.ts";
export { createIdSource } from "./key-id.ts";
export type { LogEntry, LogPage, LogText, StoreLog } from "./key-log.ts";
export type { KeyRecord, SecretEntry, SettingsDocument } from "./key-record.ts";
export { isKeyId, isSameRecord, KEY_SCHEMA, parseKeyRecord, validSecret } from "./key-record.ts";
export type * from "./key-store.ts";
export type { KeyUsage, UsageReport } from "./key-usage.ts";
export type { KeyStoreOptions } from "./open-key-store.ts";
export { openKeyStore } from "./open-key-store.ts";
export { createSecret, digestOf, hasValidChecksum, hintOf, isPossibleSecret } from "./secret.ts";
export type { UnstoredChange, UnstoredListener, UnstoredOutcome } from "./unstored-changes.ts";
export { unstoredLog } from "./unstored-log.ts";
