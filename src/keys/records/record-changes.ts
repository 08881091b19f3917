import { isObject } from "../../lib/json-object.ts";
import { schemaOf } from "../../policy/settings-schema.ts";
import { encodeEntry } from "../../store/entry-codec.ts";
import type { Change } from "../../store/key-storage.ts";
import { UnreadableRecordError } from "./errors.ts";
import { isKeyId, type KeyRecord } from "./key-record.ts";
import {
  parseRecordText,
  parseText,
  RECORD_PREFIX,
  SECRET_PREFIX,
  type StoredEntries,
} from "./stored-entries.ts";

/** A record and the entries of its secrets, before and after a change, in one transaction. */
export function changesBetween(
  id: string,
  textBefore: string,
  before: KeyRecord | undefined,
  after: KeyRecord | undefined,
): Change[] {
  const kept = new Set(after?.secrets.map(({ digest }) => digest));
  const changes: Change[] = [
    {
      key: RECORD_PREFIX + id,
      expect: textBefore,
      text: after === undefined ? undefined : encodeEntry(after),
    },
  ];
  for (const { digest } of before?.secrets ?? []) {
    if (!kept.has(digest)) changes.push({ key: SECRET_PREFIX + digest, text: undefined });
  }
  return changes;
}

/**
 * The record as it will be read back: what JSON does not have is gone, and nobody else holds its parts.
 * @throws TypeError for settings that are no JSON object
 */
export function storable(record: KeyRecord): KeyRecord {
  const settings: unknown = JSON.parse(JSON.stringify(record.settings) ?? "null");
  if (!isObject(settings)) throw new TypeError("settings are a JSON object");
  return { ...record, schema: schemaOf(settings), settings };
}

export function readable(id: string, text: string): KeyRecord | undefined {
  try {
    return parseRecordText(id, text);
  } catch {
    return undefined;
  }
}

/** Undefined for a damaged record; one of a newer schema is not ours to touch. */
export function undamaged(id: string, text: string): KeyRecord | undefined {
  try {
    return parseRecordText(id, text);
  } catch (error) {
    if (error instanceof UnreadableRecordError && error.reason === "damaged") return undefined;
    throw error;
  }
}

/** Undefined for no record. */
export async function recordUnlessUnreadable(
  entries: StoredEntries,
  id: string,
): Promise<KeyRecord | "unreadable" | undefined> {
  try {
    return await entries.record(id);
  } catch (error) {
    if (error instanceof UnreadableRecordError) return "unreadable";
    throw error;
  }
}

/** Who has a secret: `text` is what is stored under its digest, to be expected by the write that takes it. */
export type SecretOwner = { readonly text: string | null; readonly id: string | undefined };

/**
 * The key that has the secret of this digest; a record that cannot be read may have it. Without one there is
 * normally nothing stored, or an entry that was left by a record that was deleted when it was damaged.
 */
export async function ownerOf(entries: StoredEntries, digest: string): Promise<SecretOwner> {
  const text = await entries.text(SECRET_PREFIX + digest);
  if (text === undefined) return { text: null, id: undefined };
  const id = parseText(text, "a secret's entry");
  if (!isKeyId(id)) return { text, id: undefined };
  const record = await recordUnlessUnreadable(entries, id);
  const has = record === "unreadable" || record?.secrets.some((entry) => entry.digest === digest);
  return { text, id: has ? id : undefined };
}
