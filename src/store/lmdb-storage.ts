import { chmodSync, closeSync, fsyncSync, openSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type RangeOptions as Bounds, open, type RootDatabase } from "lmdb";
import { makeFolder } from "../lib/folder.ts";
import { TurnSlices } from "../lib/turn-slices.ts";
import { StoreUnavailableError } from "./errors.ts";
import {
  BaseStorage,
  type Change,
  closedError,
  type Entry,
  endOfPrefix,
  hold,
  type RangeOptions,
  REVISION_KEY,
} from "./key-storage.ts";
import { checkDataFile } from "./lmdb-header.ts";

/** What is used of an lmdb database, so that a test can put a slow or broken disk in its place. */
export type TextDatabase = Pick<
  RootDatabase<string, string>,
  | "get"
  | "put"
  | "remove"
  | "childTransaction"
  | "getRange"
  | "getKeys"
  | "resetReadTxn"
  | "flushed"
  | "close"
>;

/** A transaction of more changes has turns of the event loop within it: these take some milliseconds. */
const MAX_WHOLE_CHANGES = 1_000;

/**
 * Entries in LMDB. Several processes of one host may have the same folder open: writers take turns at LMDB's
 * lock, and each read begins at the newest commit of all of them.
 */
export class LmdbStorage extends BaseStorage {
  readonly #database: TextDatabase;
  readonly #writing = new Set<Promise<unknown>>();
  readonly #isInPlace: () => boolean;
  readonly #openAgain: (() => TextDatabase) | undefined;
  #large: TextDatabase | undefined;
  #closing: Promise<void> | undefined;

  /**
   * `isInPlace`: whether what was opened is still what its path names. `openAgain` opens it a second time, for transactions that
   * last for many turns: what is read meanwhile through the first is as it was before, and what is written waits.
   */
  constructor(
    database: TextDatabase,
    url: string,
    isInPlace: () => boolean = () => true,
    openAgain?: () => TextDatabase,
  ) {
    super(url);
    this.#database = database;
    this.#isInPlace = isInPlace;
    this.#openAgain = openAgain;
  }

  async get(key: string): Promise<string | undefined> {
    this.#refresh();
    return this.#database.get(key);
  }

  revision(): string | undefined {
    this.#refresh();
    return this.#database.get(REVISION_KEY);
  }

  commit(changes: readonly Change[], options?: { readonly flushed: boolean }): Promise<boolean> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    const written = this.#commit(changes, options?.flushed ?? true);
    const settled: Promise<unknown> = written.then(
      () => this.#writing.delete(settled),
      () => this.#writing.delete(settled),
    );
    this.#writing.add(settled);
    return written;
  }

  async range(prefix: string, options: RangeOptions): Promise<Entry[]> {
    this.#refresh();
    const bounds = boundsOf(prefix, options);
    if (bounds === undefined) return [];
    return Array.from(this.#database.getRange(bounds), ({ key, value }) => ({ key, text: value }));
  }

  async keys(prefix: string, options: RangeOptions): Promise<string[]> {
    this.#refresh();
    const bounds = boundsOf(prefix, options);
    return bounds === undefined ? [] : Array.from(this.#database.getKeys(bounds));
  }

  disconnect(): Promise<void> {
    this.#closing ??= Promise.all(this.#writing).then(async () => {
      await this.#large?.close();
      await this.#database.close();
    });
    return this.#closing;
  }

  async #commit(changes: readonly Change[], flushed: boolean): Promise<boolean> {
    if (changes.length > MAX_WHOLE_CHANGES) this.#large ??= this.#openAgain?.();
    const large = changes.length > MAX_WHOLE_CHANGES ? this.#large : undefined;
    const database = large ?? this.#database;
    try {
      // A child transaction, because lmdb puts the writes of several callers into one transaction: a put that
      // fails half way takes back its own group of changes only.
      const done = await database.childTransaction(() =>
        large === undefined ? write(database, changes) : writeInSlices(large, changes),
      );
      // Resolved means committed; `flushed` means on disk, which is what is acknowledged.
      if (flushed) await database.flushed;
      // A file that was deleted or replaced is still mapped, and takes writes that no restart will see.
      if (!this.#isInPlace())
        throw new StoreUnavailableError("the store's file is no longer where it was opened");
      return done;
    } catch (error) {
      throw await causeOf(error);
    }
  }

  /** Leaves the snapshot of this turn of the event loop: another process may have written since (0.5 µs). */
  #refresh(): void {
    if (this.#closing !== undefined) throw closedError();
    this.#database.resetReadTxn();
  }
}

/** To be called in a transaction. @returns whether the conditions of all changes hold. */
function write(database: TextDatabase, changes: readonly Change[]): boolean {
  if (!hold(changes, (key) => database.get(key))) return false;
  for (const change of changes) put(database, change);
  return true;
}

/** The same in many turns of the event loop: the store's lock is held until the last, so that the conditions still hold then. */
async function writeInSlices(database: TextDatabase, changes: readonly Change[]): Promise<boolean> {
  const slices = new TurnSlices();
  for (const change of changes) {
    if (!hold([change], (key) => database.get(key))) return false;
    await slices.pause();
  }
  for (const change of changes) {
    put(database, change);
    await slices.pause();
  }
  return true;
}

function put(database: TextDatabase, change: Change): void {
  if ("exists" in change) return;
  if (change.text === undefined) database.remove(change.key);
  else database.put(change.key, change.text);
}

/** A range in lmdb's words; undefined when nothing can be in it. */
function boundsOf(prefix: string, { after, limit, reverse = false }: RangeOptions): Bounds | undefined {
  const end = endOfPrefix(prefix);
  if (!reverse) {
    const continued = after !== undefined && after >= prefix;
    return {
      ...(continued ? { start: after, exclusiveStart: true } : prefix === "" ? {} : { start: prefix }),
      ...(end === undefined ? {} : { end }),
      limit,
    };
  }
  const start = after !== undefined && (end === undefined || after < end) ? after : end;
  if (start !== undefined && start <= prefix) return undefined;
  return {
    ...(start === undefined ? {} : { start, exclusiveStart: true }),
    ...(prefix === "" ? {} : { end: prefix, inclusiveEnd: true }),
    limit,
    reverse,
  };
}

/**
 * Opens (or makes) the store in a folder. The folder is made for its owner alone, and the files are readable
 * by their owner alone also in a folder that was there before.
 * @throws StoreUnavailableError
 */
export function openLmdbStorage(folder: string): LmdbStorage {
  const path = resolve(folder);
  try {
    const made = makeFolder(path);
    // Made before lmdb makes them with the mode 0664.
    for (const name of ["data.mdb", "lock.mdb"]) {
      closeSync(openSync(join(path, name), "a", 0o600));
      chmodSync(join(path, name), 0o600);
    }
    checkDataFile(join(path, "data.mdb"));
    const database = openDatabase(path);
    syncFolder(path);
    if (made !== undefined) syncFolder(dirname(made));
    const isInPlace = sameFile(join(path, "data.mdb"));
    return new LmdbStorage(database, `lmdb:${path}`, isInPlace, () => openDatabase(path));
  } catch (error) {
    throw new StoreUnavailableError(`cannot open the key store in ${path}`, { cause: error });
  }
}

function openDatabase(path: string): RootDatabase<string, string> {
  return open<string, string>(path, {
    encoding: "string",
    noSubdir: false,
    // Each commit is on disk before its promise resolves. Overlapping, lmdb's default, is no faster here,
    // and after a full disk it never closes.
    overlappingSync: false,
    // With it, each failed commit leaves a rejected promise that nobody can reach, which ends the process.
    eventTurnBatching: false,
  });
}

/**
 * Why a commit failed (a full disk, say). lmdb puts it into `commitError`, a promise that it rejects right
 * after; if nobody takes it, that is an unhandled rejection, which ends the process.
 */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && "commitError" in error && error.commitError instanceof Promise))
    return error;
  const reasons: unknown[] = [];
  error.commitError.catch((reason: unknown) => reasons.push(reason));
  await nextTurn();
  return reasons[0] ?? error;
}

/** Asks whether a path still names the file that it names now. */
function sameFile(path: string): () => boolean {
  const { ino, dev } = statSync(path);
  return () => {
    try {
      const now = statSync(path, { throwIfNoEntry: false });
      return now !== undefined && now.ino === ino && now.dev === dev;
    } catch {
      // The system could not look (no memory, say), which is no sign that the file has gone.
      return true;
    }
  };
}

/** Makes the names of new files durable; LMDB flushes their content only. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
