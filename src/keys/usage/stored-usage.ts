import { setImmediate as nextTurn } from "node:timers/promises";
import { isObject } from "../../lib/json-object.ts";
import { SerialQueue } from "../../lib/serial-queue.ts";
import { encodeEntry } from "../../store/entry-codec.ts";
import type { Change } from "../../store/key-storage.ts";
import { UnreadableRecordError } from "../records/errors.ts";
import { damaged, ENTRY_SCHEMA, isInstant, isKeyId, readEntry } from "../records/key-record.ts";
import { parseText, RECORD_PREFIX, type StoredEntries } from "../records/stored-entries.ts";
import type { KeyUsage, UsageReport } from "./key-usage.ts";

const PREFIX = "usage:";
const FIELDS = ["schema", "lastUsedAt", "allowed", "denied"];
const CODE = /^[a-z][a-z0-9_]{0,63}$/;
/** Codes kept per key beside `other`, so that an entry stays small whatever it is told. */
const MAX_CODES = 40;
const OTHER = "other";
/** Keys that are written in one transaction and read in one turn of the event loop. */
const SLICE = 250;

/** Where the usage of a key is stored. */
export function usageKey(id: string): string {
  return PREFIX + id;
}

/**
 * Counts beside the records, in entries of their own: using a key is no change of it. Added by compare-and-set, so
 * that the counts of several processes add up, and on the condition that the key is there, so that a report that
 * comes late leaves nothing behind of a deleted one.
 */
export class StoredUsage {
  readonly #entries: StoredEntries;
  /** Reports of this process one after the other: they would only refuse each other's commits. */
  readonly #queue = new SerialQueue();

  constructor(entries: StoredEntries) {
    this.#entries = entries;
  }

  /** @throws TypeError */
  async record(reports: Iterable<UsageReport>): Promise<void> {
    const merged = mergeReports(reports);
    await this.#queue.run(PREFIX, async () => {
      for (let first = 0; first < merged.length; first += SLICE) {
        if (first > 0) await nextTurn();
        await this.#add(merged.slice(first, first + SLICE));
      }
    });
  }

  async of(ids: Iterable<string>): Promise<Map<string, KeyUsage | undefined>> {
    const found = new Map<string, KeyUsage | undefined>();
    let reads = 0;
    for (const id of new Set(ids)) {
      reads += 1;
      if (reads % SLICE === 0) await nextTurn();
      const text = isKeyId(id) ? await this.#entries.text(usageKey(id)) : undefined;
      if (text === undefined) continue;
      const usage = usageIn(id, text);
      found.set(id, typeof usage === "string" ? undefined : usage);
    }
    return found;
  }

  async #add(reports: readonly [id: string, usage: KeyUsage][]): Promise<void> {
    for (;;) {
      const changes: Change[] = [];
      for (const [id, usage] of reports) {
        if ((await this.#entries.text(RECORD_PREFIX + id)) === undefined) continue;
        const text = await this.#entries.text(usageKey(id));
        const before = text === undefined ? undefined : usageIn(id, text);
        if (before === "newer_schema") continue;
        // Counts that are damaged begin again.
        const after = typeof before === "object" ? sumOf(before, usage) : sumOf(NOTHING, usage);
        changes.push(
          { key: RECORD_PREFIX + id, exists: true },
          { key: usageKey(id), expect: text ?? null, text: encodeEntry({ schema: ENTRY_SCHEMA, ...after }) },
        );
      }
      if (changes.length === 0 || (await this.#entries.commit(changes, { flushed: false }))) return;
    }
  }
}

const NOTHING: KeyUsage = { lastUsedAt: "", allowed: 0, denied: {} };

function mergeReports(reports: Iterable<UsageReport>): [string, KeyUsage][] {
  const merged = new Map<string, KeyUsage>();
  for (const { id, lastUsedAt, allowed, denied } of reports) {
    if (!isInstant(lastUsedAt)) throw new TypeError("lastUsedAt: an instant as toISOString writes it");
    if (!isCount(allowed) || !Object.values(denied).every(isCount)) {
      throw new TypeError("counts are whole numbers, not negative");
    }
    if (!isKeyId(id)) continue;
    merged.set(id, sumOf(merged.get(id) ?? NOTHING, { lastUsedAt, allowed, denied }));
  }
  return [...merged];
}

function sumOf(before: KeyUsage, more: KeyUsage): KeyUsage {
  const denied = new Map(Object.entries(before.denied));
  for (const [code, count] of Object.entries(more.denied)) {
    const full = denied.size - (denied.has(OTHER) ? 1 : 0) >= MAX_CODES;
    const counted = CODE.test(code) && (denied.has(code) || !full) ? code : OTHER;
    denied.set(counted, added(denied.get(counted) ?? 0, count));
  }
  return {
    lastUsedAt: later(before.lastUsedAt, more.lastUsedAt),
    allowed: added(before.allowed, more.allowed),
    denied: Object.fromEntries(denied),
  };
}

/** In this form, instants sort as text. */
function later(one: string, other: string): string {
  if (other > one) return other;
  return one;
}

function added(one: number, other: number): number {
  return Math.min(one + other, Number.MAX_SAFE_INTEGER);
}

/** What is stored, or why it cannot be read. */
function usageIn(id: string, text: string): KeyUsage | "damaged" | "newer_schema" {
  try {
    return parseUsageText(id, text);
  } catch (error) {
    if (error instanceof UnreadableRecordError) return error.reason;
    throw error;
  }
}

function parseUsageText(id: string, text: string): KeyUsage {
  const name = `the usage of ${id}`;
  const { lastUsedAt, allowed, denied } = readEntry(name, parseText(text, name), FIELDS, ENTRY_SCHEMA);
  if (!isInstant(lastUsedAt)) throw damaged(name, "lastUsedAt");
  if (!isCount(allowed)) throw damaged(name, "allowed");
  if (!isObject(denied)) throw damaged(name, "denied");
  const counts = new Map<string, number>();
  for (const [code, count] of Object.entries(denied)) {
    if (!CODE.test(code) || !isCount(count)) throw damaged(name, "denied");
    counts.set(code, count);
  }
  return { lastUsedAt, allowed, denied: Object.fromEntries(counts) };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
