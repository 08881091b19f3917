import type { Gate } from "../gate/index.ts";
import {
  type KeyChange,
  type KeyRecord,
  type KeyStore,
  type ScannedKey,
  StoreUnavailableError,
} from "../keys/index.ts";
import { sortInSlices } from "../lib/sliced-sort.ts";
import { TurnSlices } from "../lib/turn-slices.ts";
import { type KeySummary, summaryOf } from "./key-summary.ts";
import type { KeyState } from "./schemas/key-view.ts";

export const KEY_SORTS = ["name", "created", "updated", "expires", "lastUsed", "connections"] as const;
export type KeySort = (typeof KEY_SORTS)[number];

export type KeyQuery = {
  /** Part of the name, the id or a secret's hint, in any case. Empty: all. */
  readonly search: string;
  readonly state: KeyState | undefined;
  readonly sort: KeySort;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
};

export type KeySelection = {
  readonly keys: readonly KeySummary[];
  /** How many match, on all pages. */
  readonly total: number;
  /** How many match the search by state, whatever state is asked for. */
  readonly counts: Readonly<Partial<Record<KeyState, number>>>;
  readonly unreadable: readonly string[];
};

/** A page of keys in the order of their creation. */
export type KeyPage = {
  readonly keys: readonly KeySummary[];
  readonly unreadable: readonly string[];
  readonly next: string | null;
};

/** What of a key is searched and sorted by, and what is shown of it. Small: there is one for every key. */
type Entry = {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly summary: KeySummary;
};

/** Changes of this process come at once by the feed; those of others with the next walk. */
const WALK_EVERY_MS = 5_000;
/** Where the store's revision says that no program has written a key, also one that does not know of revisions. */
const WALK_UNCHANGED_EVERY_MS = 30_000;
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/**
 * Finds keys by name and sorts them, for operators with thousands. Holds one small entry per key from the first
 * question on, made once for each version; the store knows only ids.
 */
export class KeyDirectory {
  readonly #keys: KeyStore;
  readonly #gate: Gate;
  #entries = new Map<string, Entry>();
  #unreadable: readonly string[] = [];
  #walkedAtMs = Number.NEGATIVE_INFINITY;
  /** The store's revision before the last walk. */
  #walkedRevision: string | undefined;
  #walk: Promise<void> | undefined;
  /** What changed while the store was read, which the walk may have read before or after. */
  #changed: Map<string, Entry | undefined> | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor({ keys, gate }: { readonly keys: KeyStore; readonly gate: Gate }) {
    this.#keys = keys;
    this.#gate = gate;
  }

  async select(query: KeyQuery): Promise<KeySelection> {
    await this.#refresh();
    const nowMs = Date.now();
    const counts: Partial<Record<KeyState, number>> = {};
    const found: Entry[] = [];
    const search = searchable(query.search.trim());
    const slices = new TurnSlices();
    for (const entry of this.#entries.values()) {
      await slices.pause();
      if (search !== "" && !entry.text.includes(search)) continue;
      const state = entry.summary.state.at(nowMs);
      counts[state] = (counts[state] ?? 0) + 1;
      if (query.state === undefined || query.state === state) found.push(entry);
    }
    const compare = await this.#order(query.sort, found);
    const sorted = await sortInSlices(found, query.descending ? (a, b) => compare(b, a) : compare);
    const page = sorted.slice(query.offset, query.offset + query.limit);
    const keys = page.map(({ summary }) => summary);
    return { keys, total: found.length, counts, unreadable: this.#unreadable };
  }

  /** Read from the store, so that it knows what other processes wrote; only what is new is parsed. @throws InvalidCursorError */
  async page({
    limit,
    after,
  }: {
    readonly limit: number;
    readonly after: string | undefined;
  }): Promise<KeyPage> {
    const keys: KeySummary[] = [];
    const unreadable: string[] = [];
    let last: string | undefined;
    for await (const scanned of this.#keys.scan({ after, limit: limit + 1, known: this.#known })) {
      if (keys.length + unreadable.length === limit) return { keys, unreadable, next: last ?? null };
      last = scanned.cursor;
      const entry = this.#entryOfScan(scanned, this.#entries);
      if (entry === undefined) unreadable.push(scanned.id);
      else keys.push(entry.summary);
    }
    return { keys, unreadable, next: null };
  }

  close(): void {
    this.#unsubscribe?.();
    this.#entries.clear();
  }

  async #refresh(): Promise<void> {
    this.#unsubscribe ??= this.#keys.subscribe((change) => this.#change(change));
    const sinceMs = performance.now() - this.#walkedAtMs;
    if (sinceMs < WALK_EVERY_MS) return;
    if (sinceMs < WALK_UNCHANGED_EVERY_MS && (await this.#revision()) === this.#walkedRevision) return;
    this.#walk ??= this.#readAll().finally(() => {
      this.#walk = undefined;
    });
    const walk = this.#walk;
    // What is known answers, so that typing in a search field never waits for thousands of reads; only the first does.
    if (this.#walkedAtMs === Number.NEGATIVE_INFINITY) await walk;
    else walk.catch(() => undefined);
  }

  /** Undefined while the store does not say: what is known answers then, too. */
  async #revision(): Promise<string | undefined> {
    try {
      return await this.#keys.revision();
    } catch (error) {
      if (error instanceof StoreUnavailableError) return undefined;
      throw error;
    }
  }

  async #readAll(): Promise<void> {
    const changed = new Map<string, Entry | undefined>();
    this.#changed = changed;
    const entries = new Map<string, Entry>();
    const unreadable: string[] = [];
    const revision = await this.#revision();
    try {
      for await (const scanned of this.#keys.scan({ known: this.#known })) {
        const entry = this.#entryOfScan(scanned, this.#entries);
        if (entry === undefined) unreadable.push(scanned.id);
        else entries.set(scanned.id, entry);
      }
    } finally {
      this.#changed = undefined;
    }
    for (const [id, entry] of changed) {
      if (entry === undefined) entries.delete(id);
      else entries.set(id, entry);
    }
    this.#entries = entries;
    this.#unreadable = unreadable;
    this.#walkedRevision = revision;
    this.#walkedAtMs = performance.now();
  }

  #change({ type, id, record }: KeyChange): void {
    const entry = record === undefined ? undefined : this.#entryOf(record);
    this.#changed?.set(id, entry);
    if (entry === undefined) this.#entries.delete(id);
    else this.#entries.set(id, entry);
    const others = this.#unreadable.filter((one) => one !== id);
    // A key whose record cannot be read is still there, until somebody revokes it.
    this.#unreadable = type !== "deleted" && record === undefined ? [...others, id] : others;
  }

  readonly #known = (id: string): KeySummary | undefined => this.#entries.get(id)?.summary;

  /** Undefined for a key that cannot be read. */
  #entryOfScan(scanned: ScannedKey, entries: ReadonlyMap<string, Entry>): Entry | undefined {
    if (scanned.state === "known") return entries.get(scanned.id);
    return scanned.state === "read" ? this.#entryOf(scanned.record) : undefined;
  }

  #entryOf(record: KeyRecord): Entry {
    const { id, settings, secrets } = record;
    const known = this.#entries.get(id);
    if (known !== undefined && isOf(known.summary, record)) return known;
    const name = typeof settings["name"] === "string" ? settings["name"] : id;
    const text = searchable([name, id, ...secrets.map(({ hint }) => hint)].join("\n"));
    return { id, name, text, summary: summaryOf(record) };
  }

  /** Keys that are alike in what is sorted by stay in the order of their creation. */
  async #order(sort: KeySort, found: readonly Entry[]): Promise<(a: Entry, b: Entry) => number> {
    const byId = (a: Entry, b: Entry): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
    const byText = (text: (entry: Entry) => string) => (a: Entry, b: Entry) =>
      text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : byId(a, b);
    const byNumber = (value: (entry: Entry) => number) => (a: Entry, b: Entry) =>
      value(a) - value(b) || byId(a, b);
    switch (sort) {
      case "created":
        return byText(({ summary }) => summary.createdAt);
      case "updated":
        return byText(({ summary }) => summary.updatedAt);
      case "name":
        return (a, b) => collator.compare(a.name, b.name) || byId(a, b);
      case "expires":
        return (a, b) => compareMs(a.summary.state.expiresAtMs, b.summary.state.expiresAtMs) || byId(a, b);
      case "connections": {
        const counts = new Map(found.map(({ id }) => [id, this.#gate.connectionsOf(id)]));
        return byNumber(({ id }) => counts.get(id) ?? 0);
      }
      case "lastUsed": {
        const usage = await this.#keys.usageOf(found.map(({ id }) => id));
        return byText(({ id }) => usage.get(id)?.lastUsedAt ?? "");
      }
    }
  }
}

/** A change that is in force without being stored has another `updatedAt` at the same version. */
function isOf({ version, createdAt, updatedAt }: KeySummary, record: KeyRecord): boolean {
  return version === record.version && createdAt === record.createdAt && updatedAt === record.updatedAt;
}

/** Letters in one case and one form: an é is one character or two, by the keyboard and the system that it was typed on. */
function searchable(text: string): string {
  return text.normalize("NFC").toLowerCase().normalize("NFC");
}

/** "Never" is Infinity, whose difference with itself is no number. */
function compareMs(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
