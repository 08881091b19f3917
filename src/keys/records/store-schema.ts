import { isObject } from "../../lib/json-object.ts";
import { encodeEntry } from "../../store/entry-codec.ts";
import { UnreadableRecordError } from "./errors.ts";
import { KEY_SCHEMA } from "./key-record.ts";
import { parseText, RECORD_PREFIX, type StoredEntries } from "./stored-entries.ts";

const SCHEMA_KEY = "store:schema";
/**
 * What the mark says. 2: every write of a key changes the store's revision, which others rely on to keep keys in
 * memory, and keys may be of schema 2. A program that does not know of it would change keys unseen and deny those that it
 * cannot read; the mark keeps it out.
 */
const STORE_SCHEMA = 2;
const PAGE = 1000;
/** How the text of each record of a schema that we read begins. What begins differently is looked at more closely. */
const KNOWN_RECORDS = [1, KEY_SCHEMA].map((schema) => `${encodeEntry({ schema }).slice(0, -2)},`);

/**
 * Refuses a store that a newer program has written to, before anything is changed in it; marks one that is new or of an
 * older program.
 * Looks at the store's mark and at each record (100,000 in about a fifth of a second). A damaged record
 * does not stop the start: it denies by itself. History, usage and log can be a hundred times as many: for
 * them the mark stands, which a program raises before it writes anything newer, and each says so when it is read.
 * @throws UnreadableRecordError
 */
export async function checkStoreSchema(entries: StoredEntries): Promise<void> {
  const mark = await entries.text(SCHEMA_KEY);
  if (mark !== undefined)
    refuseNewer("the key store", "store", parseText(mark, "the key store"), STORE_SCHEMA);
  let page = await entries.range(RECORD_PREFIX, { limit: PAGE });
  while (page.length > 0) {
    for (const { key, text } of page) {
      if (KNOWN_RECORDS.some((beginning) => text.startsWith(beginning))) continue;
      const id = key.slice(RECORD_PREFIX.length);
      const record = readable(text, id);
      if (isObject(record)) refuseNewer(id, "record", record["schema"], KEY_SCHEMA);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    page = await entries.range(RECORD_PREFIX, { after: last.key, limit: PAGE });
  }
  await raiseMark(entries);
}

async function raiseMark(entries: StoredEntries): Promise<void> {
  const raised = encodeEntry(STORE_SCHEMA);
  for (;;) {
    const text = await entries.text(SCHEMA_KEY);
    if (text === raised) return;
    if (text !== undefined)
      refuseNewer("the key store", "store", parseText(text, "the key store"), STORE_SCHEMA);
    if (await entries.commit([{ key: SCHEMA_KEY, expect: text ?? null, text: raised }])) return;
  }
}

function refuseNewer(id: string, what: string, schema: unknown, known: number): void {
  if (typeof schema === "number" && schema > known) {
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
