import { setImmediate as nextTurn } from "node:timers/promises";
import { customAlphabet } from "nanoid";
import { encodeEntry } from "../../store/entry-codec.ts";
import type { OpenCalls } from "../../store/open-calls.ts";
import { InvalidCursorError } from "../records/errors.ts";
import { damaged, ENTRY_SCHEMA, isInstant, readEntry } from "../records/key-record.ts";
import { parseText, type StoredEntries } from "../records/stored-entries.ts";
import { BASE62, toBase62 } from "../secret/secret.ts";
import type { LogEntry, LogPage, LogText, StoreLog } from "./key-log.ts";

export const LOG_PREFIX = "log:";
const FIELDS = ["schema", "at", "text"];
const ID = /^[0-9A-Za-z]{20}$/;
const TIME_CHARS = 8;
const SEQUENCE_CHARS = 4;
const SEQUENCE_END = 62 ** SEQUENCE_CHARS;
const MAX_TEXT_BYTES = 16 * 1024;
export const LOG_PAGE_MAX = 1000;
/** Keys counted, and entries deleted, between two turns of the event loop. */
const COUNT_SLICE = 500;
const DELETE_SLICE = 250;

const randomPart = customAlphabet(BASE62, 8);

/**
 * The log in entries `log:<id>`. An id is 8 base62 characters of milliseconds, 4 of a sequence that gives entries of
 * one instant and process their order, and 8 random ones that keep processes apart.
 *
 * To know how many entries there are means counting their keys, so that happens once in a while: the log holds up
 * to a fiftieth, at most 1,000, more than its bound for each process that appends to it.
 */
export class StoredLog implements StoreLog {
  readonly #entries: StoredEntries;
  readonly #calls: OpenCalls;
  readonly #maxEntries: number;
  readonly #trimEvery: number;
  #untrimmed: number;
  #sequence = 0;
  #trimming = false;

  constructor(entries: StoredEntries, calls: OpenCalls, maxEntries: number) {
    if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
      throw new RangeError("maxLogEntries: a whole number from 1");
    }
    this.#entries = entries;
    this.#calls = calls;
    this.#maxEntries = maxEntries;
    this.#trimEvery = Math.min(1000, Math.max(1, Math.floor(maxEntries / 50)));
    // The first entry looks at once: many short lives of a process must not grow the log either.
    this.#untrimmed = this.#trimEvery;
  }

  append(entries: readonly LogText[], { durable }: { readonly durable: boolean }): Promise<void> {
    return this.#calls.run(async () => {
      const changes = entries.map(({ at, text }) => {
        checkLogText(at, text);
        return { key: LOG_PREFIX + this.#idOf(at), text: encodeEntry({ schema: ENTRY_SCHEMA, at, text }) };
      });
      if (changes.length === 0) return;
      await this.#entries.commit(changes, { flushed: durable });
      this.#untrimmed += changes.length;
      this.#trimIfDue();
    });
  }

  page(options: { readonly limit: number; readonly before?: string | undefined }): Promise<LogPage> {
    return this.#calls.run(async () => {
      const { limit, before } = options;
      if (!Number.isInteger(limit) || limit < 1 || limit > LOG_PAGE_MAX) {
        throw new RangeError(`limit: a whole number from 1 to ${LOG_PAGE_MAX}`);
      }
      if (before !== undefined && !ID.test(before)) throw new InvalidCursorError();
      const found = await this.#entries.range(LOG_PREFIX, {
        ...(before === undefined ? {} : { after: LOG_PREFIX + before }),
        limit: limit + 1,
        reverse: true,
      });
      const items: LogEntry[] = [];
      const unreadable: string[] = [];
      let last = "";
      for (const { key, text } of found.slice(0, limit)) {
        last = key.slice(LOG_PREFIX.length);
        try {
          items.push(parseLogText(last, text));
        } catch {
          unreadable.push(last);
        }
      }
      return { items, unreadable, next: found.length > limit ? last : null };
    });
  }

  #idOf(at: string): string {
    this.#sequence = (this.#sequence + 1) % SEQUENCE_END;
    return toBase62(Date.parse(at), TIME_CHARS) + toBase62(this.#sequence, SEQUENCE_CHARS) + randomPart();
  }

  /** Beside the calls: who appends does not wait for it, `close()` does. */
  #trimIfDue(): void {
    if (this.#trimming || this.#untrimmed < this.#trimEvery || this.#calls.closing) return;
    this.#untrimmed = 0;
    this.#trimming = true;
    this.#calls
      .run(() => this.#trim())
      // What could not be deleted now is deleted next time; a store that is away says so to whoever appends.
      .catch(() => undefined)
      .finally(() => {
        this.#trimming = false;
        // What came meanwhile.
        this.#trimIfDue();
      });
  }

  async #trim(): Promise<void> {
    let oldest: string | undefined;
    for (let kept = 0; kept < this.#maxEntries; ) {
      const keys = await this.#entries.keys(LOG_PREFIX, {
        ...(oldest === undefined ? {} : { after: oldest }),
        limit: Math.min(COUNT_SLICE, this.#maxEntries - kept),
        reverse: true,
      });
      if (keys.length === 0 || this.#calls.closing) return;
      kept += keys.length;
      oldest = keys.at(-1);
      await nextTurn();
    }
    for (;;) {
      const keys = await this.#entries.keys(LOG_PREFIX, { limit: DELETE_SLICE });
      const surplus = keys.filter((key) => oldest !== undefined && key < oldest);
      if (surplus.length === 0 || this.#calls.closing) return;
      await this.#entries.commit(
        surplus.map((key) => ({ key, text: undefined })),
        { flushed: false },
      );
      await nextTurn();
    }
  }
}

/** @throws TypeError, RangeError */
export function checkLogText(at: string, text: string): void {
  if (!isInstant(at) || Date.parse(at) < 0) {
    throw new TypeError("at: an instant since 1970 as toISOString writes it");
  }
  if (text.length > MAX_TEXT_BYTES || Buffer.byteLength(text) > MAX_TEXT_BYTES) {
    throw new RangeError(`text: at most ${MAX_TEXT_BYTES} bytes`);
  }
}

/** @throws UnreadableRecordError */
export function parseLogText(id: string, stored: string): LogEntry {
  const name = `the log entry ${id}`;
  const { at, text } = readEntry(name, parseText(stored, name), FIELDS, ENTRY_SCHEMA);
  if (!isInstant(at)) throw damaged(name, "at");
  if (typeof text !== "string") throw damaged(name, "text");
  return { id, at, text };
}
