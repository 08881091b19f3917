export { StoreUnavailableError, StoreUrlError } from "../store/errors.ts";
export type { Change, Entry, KeyStorage, RangeOptions } from "../store/key-storage.ts";
export { backUpStore } from "../store/lmdb-backup.ts";
export { openKeyStorage } from "../store/storage-url.ts";
export type {
  ExportedKey,
  ExportOptions,
  ImportOptions,
  ImportResult,
  ListFault,
} from "./backup/key-backup.ts";
export type { HistoryEntry, HistoryPage } from "./history/key-history.ts";
export type { AgnostKey, AgnostKeys } from "./imports/agnost-import.ts";
export { readAgnostKeys, readManyAgnostKeys } from "./imports/agnost-import.ts";
export type * from "./key-store.ts";
export type { BrokenLink, ChainCheck, ChainPlace, DeedLog } from "./log/deed-log.ts";
export type { LogEntry, LogPage, LogText, StoreLog } from "./log/key-log.ts";
export type { KeyStoreOptions } from "./open-key-store.ts";
export { openKeyStore } from "./open-key-store.ts";
export {
  DuplicateIdError,
  DuplicateSecretError,
  InvalidCursorError,
  InvalidSecretError,
  UnreadableRecordError,
  UnstoredChangeError,
} from "./records/errors.ts";
export { createIdSource } from "./records/key-id.ts";
export type { KeyRecord, SecretEntry, SettingsDocument } from "./records/key-record.ts";
export { isKeyId, isSameRecord, KEY_SCHEMA, parseKeyRecord, validSecret } from "./records/key-record.ts";
export { createSecret, digestOf, hasValidChecksum, hintOf, isPossibleSecret } from "./secret/secret.ts";
export type { UnstoredChange, UnstoredListener, UnstoredOutcome } from "./unstored/unstored-changes.ts";
export { unstoredLog } from "./unstored/unstored-log.ts";
export type { KeyUsage, UsageReport } from "./usage/key-usage.ts";
