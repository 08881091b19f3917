import { TurnSlices } from "../lib/turn-slices.ts";
import type { KnownRecord, ScannedKey, ScanOptions } from "./key-store.ts";
import { cursorOfId, idOfCursor } from "./records/key-id.ts";
import type { KeyRecord } from "./records/key-record.ts";
import { readable } from "./records/record-changes.ts";
import { RECORD_PREFIX, type StoredEntries } from "./records/stored-entries.ts";

/** Ids read at once: small, however large the keys are. */
const IDS_PER_READ = 500;
const HEAD =
  /^\{"value":\{"schema":\d{1,3},"id":"(key_[0-9A-Za-z]{1,60})","version":(\d{1,15}),"settings":\{/;
const HEAD_CHARS = 160;
const TAIL = /"createdAt":"([^"]{24})","updatedAt":"([^"]{24})"\}\}$/;
const TAIL_CHARS = 90;

/**
 * Every key in the order of ids, one after the other and with turns of the event loop between them, so that neither many keys nor
 * large ones take the event loop. A key whose text begins and ends as the known record's does is not parsed again.
 */
export async function* scanRecords(
  entries: StoredEntries,
  effective: (stored: KeyRecord) => KeyRecord,
  { after, limit = Number.POSITIVE_INFINITY, known }: ScanOptions,
): AsyncGenerator<ScannedKey, void> {
  const slices = new TurnSlices();
  let last = after === undefined ? undefined : RECORD_PREFIX + idOfCursor(after);
  let left = limit;
  while (left > 0) {
    const options = { limit: Math.min(IDS_PER_READ, left), ...(last === undefined ? {} : { after: last }) };
    const keys = await entries.keys(RECORD_PREFIX, options);
    for (const key of keys) {
      await slices.pause();
      const text = await entries.text(key);
      if (text === undefined) continue;
      const id = key.slice(RECORD_PREFIX.length);
      const cursor = cursorOfId(id);
      const before = known?.(id);
      if (before !== undefined && isOf(text, before)) {
        yield { id, cursor, state: "known" };
        continue;
      }
      const record = readable(id, text);
      await slices.pause();
      if (record === undefined) yield { id, cursor, state: "unreadable" };
      else yield { id, cursor, state: "read", record: effective(record) };
    }
    last = keys.at(-1);
    left -= keys.length;
    if (last === undefined) return;
  }
}

/** Whether this is the text of that record, as every version of this program writes it. */
function isOf(text: string, { id, version, createdAt, updatedAt }: KnownRecord): boolean {
  const head = HEAD.exec(text.slice(0, HEAD_CHARS));
  const tail = TAIL.exec(text.slice(-TAIL_CHARS));
  return head?.[1] === id && head[2] === String(version) && tail?.[1] === createdAt && tail[2] === updatedAt;
}
