import type { SettingsDocument } from "../records/key-record.ts";

/** Settings that a key had before. */
export type HistoryEntry = {
  /** The last version of the key that had these settings. A rotation counts the version up and keeps them. */
  readonly version: number;
  readonly settings: SettingsDocument;
  /** `updatedAt` of that version. */
  readonly updatedAt: string;
};

export type HistoryPage = {
  /** Newest first, without the settings in force. */
  readonly items: readonly HistoryEntry[];
  /** Versions of this page that cannot be read. */
  readonly unreadable: readonly number[];
  /** Pass it as `before` for the next page. Null at the end. */
  readonly next: number | null;
};
