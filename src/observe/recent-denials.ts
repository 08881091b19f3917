import type { Denial } from "./audit.ts";

/** Refusals of one kind that look the same, as one entry. No secret is in any of its fields. */
export type RecentDenial = {
  readonly id: string;
  /** Of the latest and of the first of them. */
  readonly at: string;
  readonly firstAt: string;
  readonly count: number;
  readonly code: string;
  readonly message: string;
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly action: string;
  readonly origin: string | null;
  readonly address: string | null;
  readonly endpoint: string | null;
  readonly channel: string | null;
};

export type DeniedRequest = Denial & { readonly message: string; readonly keyName: string | null };

type Entry = { -readonly [Name in keyof Omit<RecentDenial, "at" | "firstAt">]: RecentDenial[Name] } & {
  atMs: number;
  readonly firstAtMs: number;
};

/** Of one key and code, so that nobody's flood pushes out what others were refused. */
const MAX_OF_KIND = 50;
const MAX_ENTRIES = 2_000;
const MAX_CHANGED = 50;
const MAX_TEXT = 300;

/** The latest refusals, in memory: alike ones are counted, and the number of entries is bounded for each key and code. */
export class RecentDenials {
  readonly #now: () => number;
  /** By key and code, the kind that was refused last at the end; within it by what they have in common, likewise. */
  readonly #kinds = new Map<string, Map<string, Entry>>();
  readonly #changed = new Set<Entry>();
  #size = 0;
  #ids = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** On the hot path of refusing: a look-up, and for a new entry a few strings. */
  note(denied: DeniedRequest): void {
    const { code, keyId, action, ip } = denied;
    const [origin, endpoint, channel] = [cut(denied.origin), cut(denied.endpoint), cut(denied.channel)];
    const kindName = `${keyId ?? ""} ${code}`;
    const kind = this.#kinds.get(kindName) ?? new Map<string, Entry>();
    this.#kinds.delete(kindName);
    this.#kinds.set(kindName, kind);
    const name = JSON.stringify([action, origin, ip, endpoint, channel]);
    const known = kind.get(name);
    const atMs = this.#now();
    let entry: Entry;
    if (known === undefined) {
      this.#ids += 1;
      const about = { code, message: denied.message, keyId, keyName: denied.keyName, action };
      const where = { origin, address: ip, endpoint, channel };
      entry = { id: String(this.#ids), count: 1, atMs, firstAtMs: atMs, ...about, ...where };
      this.#size += 1;
      if (kind.size === MAX_OF_KIND) this.#dropOldest(kind);
    } else {
      entry = known;
      entry.count += 1;
      entry.atMs = atMs;
      entry.message = denied.message;
      kind.delete(name);
    }
    kind.set(name, entry);
    if (this.#size > MAX_ENTRIES) this.#makeRoom();
    if (this.#changed.size < MAX_CHANGED) this.#changed.add(entry);
  }

  /** Newest first. */
  list({ keyId, limit }: { readonly keyId: string | undefined; readonly limit: number }): RecentDenial[] {
    const entries: Entry[] = [];
    for (const kind of this.#kinds.values()) {
      for (const entry of kind.values())
        if (keyId === undefined || entry.keyId === keyId) entries.push(entry);
    }
    entries.sort((a, b) => b.atMs - a.atMs || Number(b.id) - Number(a.id));
    return entries.slice(0, limit).map(viewOf);
  }

  /** Some of those that were noted since the last call. */
  takeChanged(): RecentDenial[] {
    const changed = [...this.#changed].map(viewOf);
    this.#changed.clear();
    return changed;
  }

  /** The oldest of the kind that was refused longest ago gives way. */
  #makeRoom(): void {
    for (const [name, kind] of this.#kinds) {
      this.#dropOldest(kind);
      if (kind.size === 0) this.#kinds.delete(name);
      return;
    }
  }

  #dropOldest(kind: Map<string, Entry>): void {
    for (const [name, entry] of kind) {
      kind.delete(name);
      this.#changed.delete(entry);
      this.#size -= 1;
      return;
    }
  }
}

function cut(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : text.slice(0, MAX_TEXT);
}

function viewOf({ atMs, firstAtMs, id, ...rest }: Entry): RecentDenial {
  return { id, at: new Date(atMs).toISOString(), firstAt: new Date(firstAtMs).toISOString(), ...rest };
}
