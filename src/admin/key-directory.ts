import type { Gate } from "../gate.ts";
import type { KeyRecord, KeyStore } from "../keys/index.ts";
import { KeyStateReader } from "./key-state.ts";
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
  readonly ids: readonly string[];
  /** How many match, on all pages. */
  readonly total: number;
  /** How many match the search by state, whatever state is asked for. */
  readonly counts: Readonly<Partial<Record<KeyState, number>>>;
  readonly unreadable: readonly string[];
};

/** What of a key is searched and sorted by. Small: there is one for every key. */
type Entry = {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly text: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly reader: KeyStateReader;
};

const WALK_PAGE = 1_000;
/** Changes of this process come at once by the feed; those of others with the next walk. */
const WALK_EVERY_MS = 5_000;
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/**
 * Finds keys by name and sorts them, for operators with thousands. Holds one small entry per key from the first
 * question on; the store knows only ids.
 */
export class KeyDirectory {
  readonly #keys: KeyStore;
  readonly #gate: Gate;
  #entries = new Map<string, Entry>();
  #unreadable: readonly string[] = [];
  #walkedAtMs = Number.NEGATIVE_INFINITY;
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
    const search = query.search.trim().toLowerCase();
    for (const entry of this.#entries.values()) {
      if (search !== "" && !entry.text.includes(search)) continue;
      const state = entry.reader.at(nowMs);
      counts[state] = (counts[state] ?? 0) + 1;
      if (query.state === undefined || query.state === state) found.push(entry);
    }
    const compare = await this.#order(query.sort, found);
    found.sort((a, b) => (query.descending ? compare(b, a) : compare(a, b)));
    const page = found.slice(query.offset, query.offset + query.limit);
    return { ids: page.map(({ id }) => id), total: found.length, counts, unreadable: this.#unreadable };
  }

  close(): void {
    this.#unsubscribe?.();
    this.#entries.clear();
  }

  async #refresh(): Promise<void> {
    this.#unsubscribe ??= this.#keys.subscribe(({ id, record }) => this.#change(id, record));
    if (Date.now() - this.#walkedAtMs < WALK_EVERY_MS) return;
    this.#walk ??= this.#readAll().finally(() => {
      this.#walk = undefined;
    });
    const walk = this.#walk;
    // What is known answers, so that typing in a search field never waits for thousands of reads; only the first does.
    if (this.#walkedAtMs === Number.NEGATIVE_INFINITY) await walk;
    else walk.catch(() => undefined);
  }

  async #readAll(): Promise<void> {
    const changed = new Map<string, Entry | undefined>();
    this.#changed = changed;
    const entries = new Map<string, Entry>();
    const unreadable: string[] = [];
    try {
      let after: string | undefined;
      do {
        const page = await this.#keys.list({ limit: WALK_PAGE, after });
        for (const record of page.items) entries.set(record.id, this.#entryOf(record));
        unreadable.push(...page.unreadable);
        after = page.next ?? undefined;
      } while (after !== undefined);
    } finally {
      this.#changed = undefined;
    }
    for (const [id, entry] of changed) {
      if (entry === undefined) entries.delete(id);
      else entries.set(id, entry);
    }
    this.#entries = entries;
    this.#unreadable = unreadable;
    this.#walkedAtMs = Date.now();
  }

  #change(id: string, record: KeyRecord | undefined): void {
    const entry = record === undefined ? undefined : this.#entryOf(record);
    this.#changed?.set(id, entry);
    if (entry === undefined) this.#entries.delete(id);
    else this.#entries.set(id, entry);
    this.#unreadable = this.#unreadable.filter((one) => one !== id);
  }

  #entryOf(record: KeyRecord): Entry {
    const { id, version, settings, secrets, createdAt, updatedAt } = record;
    const known = this.#entries.get(id);
    if (known?.version === version && known.createdAt === createdAt) return known;
    const name = typeof settings["name"] === "string" ? settings["name"] : id;
    const text = [name, id, ...secrets.map(({ hint }) => hint)].join("\n").toLowerCase();
    return { id, version, name, text, createdAt, updatedAt, reader: new KeyStateReader(record) };
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
        return byText(({ createdAt }) => createdAt);
      case "updated":
        return byText(({ updatedAt }) => updatedAt);
      case "name":
        return (a, b) => collator.compare(a.name, b.name) || byId(a, b);
      case "expires":
        return (a, b) => compareMs(a.reader.expiresAtMs, b.reader.expiresAtMs) || byId(a, b);
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

/** "Never" is Infinity, whose difference with itself is no number. */
function compareMs(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
