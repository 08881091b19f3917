import { TurnSlices } from "../../lib/turn-slices.ts";
import { encodeEntry } from "../../store/entry-codec.ts";
import type { Change } from "../../store/key-storage.ts";
import {
  damaged,
  isInstant,
  isKeyId,
  KEY_SCHEMA,
  type KeyRecord,
  readEntry,
  storedSettings,
} from "../records/key-record.ts";
import { parseText, type StoredEntries } from "../records/stored-entries.ts";
import type { HistoryEntry, HistoryPage } from "./key-history.ts";

const PREFIX = "history:";
/** Versions sort as text: digits of the largest safe integer. */
const VERSION_DIGITS = 16;
const FIELDS = ["schema", "version", "settings", "updatedAt"];
/**
 * How many earlier settings a key keeps. People undo the last few changes; a script that edits a key every minute
 * must not fill the disk with what nobody will look for, and deleting a key must stay one small transaction.
 */
const MAX_VERSIONS = 100;
const PAGE_DEFAULT = 20;

/**
 * Settings that keys had before, one entry per version: `history:<id>:<version>`. They are written and deleted in the
 * transaction that writes or deletes the record, whose compare-and-set guards them too.
 */
export class StoredHistory {
  readonly #entries: StoredEntries;

  constructor(entries: StoredEntries) {
    this.#entries = entries;
  }

  /** @throws RangeError */
  async page(
    id: string,
    options: { limit?: number; before?: number | undefined } = {},
  ): Promise<HistoryPage> {
    const { limit = PAGE_DEFAULT, before } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_VERSIONS) {
      throw new RangeError(`limit: a whole number from 1 to ${MAX_VERSIONS}`);
    }
    if (before !== undefined && !isVersion(before)) throw new RangeError("before: a version");
    if (!isKeyId(id)) return { items: [], unreadable: [], next: null };
    const found = await this.#entries.range(prefixOf(id), {
      ...(before === undefined ? {} : { after: keyOf(id, before) }),
      limit: limit + 1,
      reverse: true,
    });
    const items: HistoryEntry[] = [];
    const unreadable: number[] = [];
    let last = 0;
    const slices = new TurnSlices();
    for (const { key, text } of found.slice(0, limit)) {
      await slices.pause();
      last = Number(key.slice(prefixOf(id).length));
      try {
        items.push(parseHistoryText(id, last, text));
      } catch {
        unreadable.push(last);
      }
    }
    return { items, unreadable, next: found.length > limit ? last : null };
  }

  /** @throws UnreadableRecordError */
  async entry(id: string, version: number): Promise<HistoryEntry | undefined> {
    if (!isKeyId(id) || !isVersion(version)) return undefined;
    const text = await this.#entries.text(keyOf(id, version));
    return text === undefined ? undefined : parseHistoryText(id, version, text);
  }

  /** Keeps the settings of a record that is about to be replaced, and lets the oldest beyond the bound go. */
  async changesToKeep({ schema, id, version, settings, updatedAt }: KeyRecord): Promise<Change[]> {
    const stored = await this.#entries.keys(prefixOf(id), { limit: 2 * MAX_VERSIONS });
    const surplus = Math.max(0, stored.length + 1 - MAX_VERSIONS);
    const entry = { schema, version, settings, updatedAt };
    return [
      { key: keyOf(id, version), text: encodeEntry(entry) },
      ...stored.slice(0, surplus).map((key) => ({ key, text: undefined })),
    ];
  }

  /** Deletes all of a key's history, read or not: a key can always be taken away. */
  async changesToForget(id: string): Promise<Change[]> {
    const stored = await this.#entries.keys(prefixOf(id), { limit: 10 * MAX_VERSIONS });
    return stored.map((key) => ({ key, text: undefined }));
  }
}

/** @throws UnreadableRecordError */
function parseHistoryText(id: string, version: number, text: string): HistoryEntry {
  const name = `version ${version} of ${id}`;
  const entry = readEntry(name, parseText(text, name), FIELDS, KEY_SCHEMA);
  const { updatedAt } = entry;
  const settings = storedSettings(entry);
  if (entry["version"] !== version) throw damaged(name, "version");
  if (settings === undefined) throw damaged(name, "settings");
  if (!isInstant(updatedAt)) throw damaged(name, "updatedAt");
  return { version, settings, updatedAt };
}

function isVersion(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function prefixOf(id: string): string {
  return `${PREFIX}${id}:`;
}

function keyOf(id: string, version: number): string {
  return prefixOf(id) + String(version).padStart(VERSION_DIGITS, "0");
}
