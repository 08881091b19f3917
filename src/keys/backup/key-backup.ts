import type { Fault, Judgement } from "../../policy/index.ts";
import type { KeyRecord, SettingsDocument } from "../records/key-record.ts";

/**
 * A key in a backup: digests, never a secret. As JSON
 * `{ schema, id, version, settings, secrets: [{ digest, hint, validUntil }], createdAt, updatedAt }`, with the
 * fields of {@link KeyRecord} as they are stored. Usage and history are not part of it.
 */
export type ExportedKey = KeyRecord;

export type ExportOptions = {
  /** Told of each key whose record cannot be read, which is left out. Without it, such a key ends the export. */
  readonly onUnreadable?: (id: string) => void;
};

export type ImportOptions = {
  /** What to do about a key whose id is there already. */
  readonly onExisting: "refuse" | "replace" | "skip";
  /** What is wrong with settings, or what to store of them and what to warn of; pointers are into the settings. */
  readonly validate?: (settings: SettingsDocument) => readonly Fault[] | Judgement;
};

/** One thing wrong with a list that was to be stored: which entry, and where (JSON pointer into the list). */
export type ListFault = Fault & { readonly index: number };

export type ImportResult =
  | {
      readonly ok: true;
      readonly created: readonly string[];
      readonly replaced: readonly string[];
      readonly skipped: readonly string[];
      /** What the caller's judgement said of what was stored. Absent: nothing. */
      readonly warnings?: readonly ListFault[];
    }
  | { readonly ok: false; readonly faults: readonly ListFault[] };
