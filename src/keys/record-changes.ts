import { encodeEntry } from "./entry-codec.ts";
import { UnreadableRecordError } from "./errors.ts";
import { isObject, type KeyRecord } from "./key-record.ts";
import type { Change } from "./key-storage.ts";
import { parseRecordText, RECORD_PREFIX, SECRET_PREFIX } from "./stored-entries.ts";

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
  return { ...record, settings };
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
