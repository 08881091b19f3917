import { encodeEntry } from "./entry-codec.ts";
import { UnreadableRecordError } from "./errors.ts";
import { isObject, KEY_SCHEMA } from "./key-record.ts";
import { parseText, RECORD_PREFIX, type StoredEntries } from "./stored-entries.ts";

const SCHEMA_KEY = "store:schema";
const PAGE = 1000;
/** How the text of each record of our schema begins. What begins differently is looked at more closely. */
const KNOWN_RECORD = encodeEntry({ schema: KEY_SCHEMA }).slice(0, -2);

/**
 * Refuses a store that a newer program has written to, before anything is changed in it; marks a new one.
 * Looks at the store's mark and at each record (100,000 in about a fifth of a second). A damaged record
 * does not stop the start: it denies by itself. History, usage and log can be a hundred times as many: for
 * them the mark stands, which a program raises before it writes anything newer, and each says so when it is read.
 * @throws UnreadableRecordError
 */
export async function checkStoreSchema(entries: StoredEntries): Promise<void> {
  for (;;) {
    const text = await entries.text(SCHEMA_KEY);
    if (text !== undefined) {
      refuseNewer("the key store", "store", parseText(text, "the key store"));
      break;
    }
    if (await entries.commit([{ key: SCHEMA_KEY, expect: null, text: encodeEntry(KEY_SCHEMA) }])) break;
  }
  let page = await entries.range(RECORD_PREFIX, { limit: PAGE });
  while (page.length > 0) {
    for (const { key, text } of page) {
      if (text.startsWith(KNOWN_RECORD)) continue;
      const id = key.slice(RECORD_PREFIX.length);
      const record = readable(text, id);
      if (isObject(record)) refuseNewer(id, "record", record["schema"]);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    page = await entries.range(RECORD_PREFIX, { after: last.key, limit: PAGE });
  }
}

function refuseNewer(id: string, what: string, schema: unknown): void {
  if (typeof schema === "number" && schema > KEY_SCHEMA) {
    throw new UnreadableRecordError(id, "newer_schema", `${what} schema ${schema}`);
  }
}

function readable(text: string, id: string): unknown {
  try {
    return parseText(text, id);
  } catch {
    return undefined;
  }
}
