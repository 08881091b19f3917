import { setImmediate as nextTurn } from "node:timers/promises";
import type { Change, Entry } from "../../store/key-storage.ts";
import type { OpenCalls } from "../../store/open-calls.ts";
import { InvalidCursorError } from "../records/errors.ts";
import type { StoredEntries } from "../records/stored-entries.ts";
import {
  type ChainHead,
  DEED_PREFIX,
  type Deed,
  deedId,
  digestOfDeed,
  encodeDeed,
  encodeHead,
  HEAD_KEY,
  isDeedId,
  parseDeed,
  parseHead,
} from "./deed-chain.ts";
import type { ChainCheck, ChainPlace, DeedLog } from "./deed-log.ts";
import type { LogEntry, LogPage, LogText } from "./key-log.ts";
import { checkLogText, LOG_PAGE_MAX, LOG_PREFIX, parseLogText } from "./stored-log.ts";
import { verifyChain } from "./verify-chain.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const TRIM_EVERY_MS = 60 * 60 * 1_000;
/** Entries that stay whatever their age: a clock that jumps ahead does not empty the audit. */
const MIN_KEPT = 1_000;
/** Entries written, or deleted, in one transaction. */
const BATCH = 100;
const ADOPT_SLICE = 250;

type Waiting = {
  readonly entries: readonly LogText[];
  readonly resolve: (written: { bytes: number }) => void;
  readonly reject: (reason: unknown) => void;
};

/**
 * The chain of deeds in entries `deed:<sequence>`, with one head. Every write replaces the head by compare-and-set in its own
 * transaction, so that two processes on one store cannot fork the chain.
 */
export class StoredDeeds implements DeedLog {
  readonly #entries: StoredEntries;
  readonly #calls: OpenCalls;
  readonly #clock: () => number;
  /** 0: for ever. */
  readonly #keptMs: number;
  /** Appends of this process that wait for the one transaction under way; their callers bound them. */
  #waiting: Waiting[] = [];
  #isWriting = false;
  #isTrimming = false;
  #trimmedAtMs: number | undefined;

  constructor(entries: StoredEntries, calls: OpenCalls, options: { clock: () => number; days: number }) {
    if (!Number.isSafeInteger(options.days) || options.days < 0) {
      throw new RangeError("auditDays: a whole number from 0");
    }
    this.#entries = entries;
    this.#calls = calls;
    this.#clock = options.clock;
    this.#keptMs = options.days * DAY_MS;
  }

  append(entries: readonly LogText[]): Promise<{ bytes: number }> {
    return this.#calls.run(async () => {
      for (const { at, text } of entries) checkLogText(at, text);
      const written = await new Promise<{ bytes: number }>((resolve, reject) => {
        this.#waiting.push({ entries, resolve, reject });
        void this.#write();
      });
      this.#trimIfDue();
      return written;
    });
  }

  page(options: { readonly limit: number; readonly before?: string | undefined }): Promise<LogPage> {
    return this.#calls.run(async () => {
      const { limit, before } = options;
      if (!Number.isInteger(limit) || limit < 1 || limit > LOG_PAGE_MAX) {
        throw new RangeError(`limit: a whole number from 1 to ${LOG_PAGE_MAX}`);
      }
      if (before !== undefined && !isDeedId(before)) throw new InvalidCursorError();
      const found = await this.#entries.range(DEED_PREFIX, {
        ...(before === undefined ? {} : { after: DEED_PREFIX + before }),
        limit: limit + 1,
        reverse: true,
      });
      const items: LogEntry[] = [];
      const unreadable: string[] = [];
      let last = "";
      for (const { key, text: stored } of found.slice(0, limit)) {
        last = key.slice(DEED_PREFIX.length);
        try {
          const { at, text } = parseDeed(last, stored);
          items.push({ id: last, at, text });
        } catch {
          unreadable.push(last);
        }
      }
      return { items, unreadable, next: found.length > limit ? last : null };
    });
  }

  verify(known?: ChainPlace): Promise<ChainCheck> {
    return this.#calls.run(() => verifyChain(this.#entries, known));
  }

  adopt(isDeed: (text: string) => boolean): Promise<void> {
    return this.#calls.run(async () => {
      let after: string | undefined;
      for (;;) {
        const stored = await this.#entries.text(HEAD_KEY);
        const head = parseHead(stored);
        if (head.adopted) return;
        const page = await this.#entries.range(LOG_PREFIX, {
          ...(after === undefined ? {} : { after }),
          limit: ADOPT_SLICE,
        });
        const isLast = page.length < ADOPT_SLICE;
        const moved = page.flatMap((entry) => {
          const deed = textOf(entry);
          return deed !== undefined && isDeed(deed.text) ? [{ entry, deed }] : [];
        });
        const { changes, head: next } = chained(
          head,
          moved.map(({ deed }) => deed),
        );
        for (const { entry } of moved) changes.push({ key: entry.key, expect: entry.text, text: undefined });
        changes.push(swapOf(stored, { ...next, adopted: isLast }));
        const isDone = (!isLast && moved.length === 0) || (await this.#entries.commit(changes));
        // Another process that moves them, too, has been first: look again from here.
        if (isDone) after = page.at(-1)?.key;
        await nextTurn();
      }
    });
  }

  /** Writes what waits, one transaction after the other. Never rejects: each caller hears of its own entries. */
  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        const { bytes } = await this.#commit(batch.flatMap(({ entries }) => entries));
        for (const { resolve } of batch) resolve({ bytes });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isWriting = false;
  }

  async #commit(entries: readonly LogText[]): Promise<ChainHead> {
    for (;;) {
      const stored = await this.#entries.text(HEAD_KEY);
      const { changes, head } = chained(parseHead(stored), entries);
      if (changes.length === 0) return head;
      if (await this.#entries.commit([...changes, swapOf(stored, head)])) return head;
    }
  }

  /** Beside the calls: who appends does not wait for it, `close()` does. */
  #trimIfDue(): void {
    const now = this.#clock();
    const isDue = this.#trimmedAtMs === undefined || Math.abs(now - this.#trimmedAtMs) >= TRIM_EVERY_MS;
    if (this.#keptMs === 0 || this.#isTrimming || !isDue || this.#calls.closing) return;
    this.#trimmedAtMs = now;
    this.#isTrimming = true;
    this.#calls
      .run(() => this.#trim(now - this.#keptMs))
      // What could not be deleted now is deleted next time; a store that is away says so to whoever appends.
      .catch(() => undefined)
      .finally(() => {
        this.#isTrimming = false;
      });
  }

  async #trim(cutoffMs: number): Promise<void> {
    while (!this.#calls.closing) {
      const stored = await this.#entries.text(HEAD_KEY);
      const head = parseHead(stored);
      const limit = Math.min(BATCH, head.last - head.first + 1 - MIN_KEPT);
      if (limit < 1) return;
      // One more: what it is chained to stands in for an entry that cannot be read.
      const page = await this.#entries.range(DEED_PREFIX, { limit: limit + 1 });
      const over = lengthOver(page.slice(0, limit), cutoffMs);
      const next = page[over];
      if (over === 0 || next === undefined) return;
      const gone = page.slice(0, over);
      const anchored = {
        ...head,
        first: head.first + over,
        previous: linkTo(gone.at(-1)) ?? readable(next)?.previous ?? head.previous,
        bytes: Math.max(0, head.bytes - bytesOf(gone)),
      };
      const changes: Change[] = gone.map(({ key }) => ({ key, text: undefined }));
      changes.push(swapOf(stored, anchored));
      await this.#entries.commit(changes, { flushed: false });
      await nextTurn();
    }
  }
}

/** The entries as the next ones of a chain, and its head after them. */
function chained(before: ChainHead, entries: readonly LogText[]): { changes: Change[]; head: ChainHead } {
  let { last, digest, bytes } = before;
  const changes = entries.map(({ at, text }): Change => {
    const deed: Deed = { sequence: last + 1, at, text, previous: digest };
    const stored = encodeDeed(deed);
    last = deed.sequence;
    digest = digestOfDeed(deed);
    bytes += Buffer.byteLength(stored);
    return { key: DEED_PREFIX + deedId(deed.sequence), text: stored };
  });
  return { changes, head: { ...before, last, digest, bytes } };
}

function swapOf(stored: string | undefined, head: ChainHead): Change {
  return { key: HEAD_KEY, expect: stored ?? null, text: encodeHead(head) };
}

/** How many entries at the beginning are older than that. One that cannot be read is as old as the next that can. */
function lengthOver(page: readonly Entry[], cutoffMs: number): number {
  let over = 0;
  for (const [index, entry] of page.entries()) {
    const deed = readable(entry);
    if (deed === undefined) continue;
    if (Date.parse(deed.at) >= cutoffMs) break;
    over = index + 1;
  }
  return over;
}

function readable({ key, text }: Entry): Deed | undefined {
  try {
    return parseDeed(key.slice(DEED_PREFIX.length), text);
  } catch {
    return undefined;
  }
}

function linkTo(entry: Entry | undefined): string | undefined {
  const deed = entry === undefined ? undefined : readable(entry);
  return deed === undefined ? undefined : digestOfDeed(deed);
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
}

/** Undefined for an entry of the bounded log that cannot be read: it stays where it is. */
function textOf({ key, text }: Entry): LogText | undefined {
  try {
    return parseLogText(key.slice(LOG_PREFIX.length), text);
  } catch {
    return undefined;
  }
}
