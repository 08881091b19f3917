import type { Fault } from "../policy/index.ts";
import type { SettingsDocument } from "./key-record.ts";

/** A key of an Agnost version document: its secret, which goes on working, and its settings in our form. */
export type AgnostKey = {
  readonly secret: string;
  readonly settings: SettingsDocument;
  /** Where it stands in the document (JSON pointer). */
  readonly pointer: string;
};

export type AgnostKeys =
  | { readonly ok: true; readonly keys: readonly AgnostKey[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads the API keys of an Agnost version document, or its `apiKeys` alone. */
export function readAgnostKeys(_document: unknown): AgnostKeys {
  return { ok: false, faults: [{ pointer: "", message: "not built yet" }] };
}
