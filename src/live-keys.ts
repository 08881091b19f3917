import { Alarm } from "./keys/alarm.ts";
import type { KeyRecord, KeyStore } from "./keys/index.ts";
import { faultOf, type Logger } from "./observe/log.ts";
import { compileStored, type Policy } from "./policy/index.ts";
import { RecentChanges } from "./recent-changes.ts";

/** A key while somebody uses it: changed in place, so that whoever holds it always decides by the newest version. */
export type LiveKey = {
  readonly id: string;
  /** Undefined once the key was deleted, or what is stored of it cannot be read. */
  record: KeyRecord | undefined;
  policy: Policy | undefined;
  /** Connections that hold this key. */
  holders: number;
  readonly alarm: Alarm;
};

/** Keys without connections whose compiled policy is kept for the next request. */
const MAX_IDLE_KEYS = 10_000;

export type LiveKeysOptions = {
  readonly keys: KeyStore;
  readonly sweepSeconds: number;
  readonly log: Logger;
  readonly now: () => number;
  /** A key that is held decides differently from now on. */
  readonly onChange: (keyId: string) => void;
};

/**
 * The keys in use with their compiled policies, kept up to date by the store's feed, by look-ups, by a sweep and by the
 * clock. Owns at most {@link MAX_IDLE_KEYS} unused ones and those that are held.
 */
export class LiveKeys {
  readonly #keys: KeyStore;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #onChange: (keyId: string) => void;
  readonly #live = new Map<string, LiveKey>();
  /** Those of them that nobody holds, least recently used first. */
  readonly #idle = new Set<string>();
  readonly #changes = new RecentChanges();
  readonly #unsubscribe: () => void;
  readonly #sweepTimer: NodeJS.Timeout;
  #sweeping = false;

  constructor(options: LiveKeysOptions) {
    this.#keys = options.keys;
    this.#log = options.log;
    this.#now = options.now;
    this.#onChange = options.onChange;
    this.#unsubscribe = options.keys.subscribe(({ id, record }) => {
      this.#changes.note(id);
      const live = this.#live.get(id);
      if (live !== undefined) this.#change(live, record);
    });
    this.#sweepTimer = setInterval(() => void this.sweep(), options.sweepSeconds * 1_000);
    this.#sweepTimer.unref();
  }

  /** The key of a secret's digest; undefined when there is none. @throws what the store throws */
  async find(digest: string): Promise<LiveKey | undefined> {
    let since = this.#changes.begin();
    try {
      for (;;) {
        const record = await this.#keys.findByDigest(digest);
        if (record === undefined) return undefined;
        // What was read may be older than a change that the feed has told since: read again.
        if (!this.#changes.has(record.id, since)) return this.#liveKey(record);
        since = this.#changes.now;
      }
    } finally {
      this.#changes.end();
    }
  }

  /** The same key as it is known now: it may have been let go and found again. */
  newest(key: LiveKey): LiveKey {
    return this.#live.get(key.id) ?? key;
  }

  /** Somebody uses this key from now on: it is kept up to date until the matching `release`. */
  hold(key: LiveKey): void {
    const live = this.newest(key);
    // It may have been let go between its look-up and now.
    if (live.record !== undefined) this.#live.set(live.id, live);
    live.holders += 1;
    this.#idle.delete(live.id);
    if (live.holders === 1) this.#arm(live);
  }

  release(key: LiveKey): void {
    const live = this.newest(key);
    live.holders = Math.max(0, live.holders - 1);
    if (live.holders > 0) return;
    live.alarm.clear();
    if (live.record === undefined) this.#live.delete(live.id);
    this.#rest(live);
  }

  /** Compare the keys in use with the store: catches a lost notice and what other processes wrote. */
  async sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      const known: KeyRecord[] = [];
      for (const { record, holders } of this.#live.values()) {
        if (holders > 0 && record !== undefined) known.push(record);
      }
      const asked = new Map(known.map((record) => [record.id, record]));
      for (const { id, record } of await this.#keys.sweep(known)) {
        const live = this.#live.get(id);
        // Nothing newer came meanwhile: what the store has is true, a restored older version too.
        if (live !== undefined && live.record === asked.get(id)) this.#replace(live, record);
      }
    } catch (error) {
      this.#log.error({ fault: faultOf(error) }, "the key store did not answer the sweep");
    } finally {
      this.#sweeping = false;
    }
  }

  close(): void {
    clearInterval(this.#sweepTimer);
    this.#unsubscribe();
    for (const { alarm } of this.#live.values()) alarm.clear();
    this.#live.clear();
    this.#idle.clear();
  }

  #liveKey(record: KeyRecord): LiveKey {
    const known = this.#live.get(record.id);
    if (known !== undefined) {
      // Written by another process: told by this look-up before the sweep comes to it. It cannot be older than
      // what is known, because whatever came since this look-up began would have made it read again.
      if (!isSame(record, known.record)) this.#replace(known, record);
      this.#rest(known);
      return known;
    }
    const alarm = new Alarm(() => this.#ring(live), this.#now);
    const live: LiveKey = { id: record.id, record, policy: this.#compile(record), holders: 0, alarm };
    this.#live.set(record.id, live);
    this.#rest(live);
    return live;
  }

  #change(live: LiveKey, record: KeyRecord | undefined): void {
    if (record === undefined || !isSame(record, live.record)) this.#replace(live, record);
  }

  #replace(live: LiveKey, record: KeyRecord | undefined): void {
    this.#changes.note(live.id);
    live.record = record;
    live.policy = record === undefined ? undefined : this.#compile(record);
    // While connections hold it, a deleted key stays known: one that is restored under its id is this one again.
    if (record === undefined && live.holders === 0) {
      this.#live.delete(live.id);
      this.#idle.delete(live.id);
    }
    if (live.holders === 0) return;
    this.#arm(live);
    this.#onChange(live.id);
  }

  #ring(live: LiveKey): void {
    this.#arm(live);
    this.#onChange(live.id);
  }

  /** Wake at the next instant at which this key decides differently without anybody changing it. */
  #arm({ record, policy, alarm }: LiveKey): void {
    alarm.clear();
    if (record === undefined || policy === undefined) return;
    const now = this.#now();
    let nextMs = policy.expiresAtMs > now ? policy.expiresAtMs : Number.POSITIVE_INFINITY;
    for (const { validUntil } of record.secrets) {
      const endMs = validUntil === null ? Number.POSITIVE_INFINITY : Date.parse(validUntil);
      if (endMs > now) nextMs = Math.min(nextMs, endMs);
    }
    if (Number.isFinite(nextMs)) alarm.set(nextMs);
  }

  #compile(record: KeyRecord): Policy {
    const policy = compileStored(record.settings);
    if (policy.faults.length > 0) {
      this.#log.error(
        { keyId: record.id, faults: policy.faults },
        "a stored key cannot be read and is denied",
      );
    }
    return policy;
  }

  /** Note an unused key as the latest of the unused, and let the one unused for longest go. */
  #rest(live: LiveKey): void {
    if (live.holders > 0 || this.#live.get(live.id) !== live) return;
    this.#idle.delete(live.id);
    this.#idle.add(live.id);
    if (this.#idle.size <= MAX_IDLE_KEYS) return;
    for (const oldest of this.#idle) {
      this.#idle.delete(oldest);
      this.#live.delete(oldest);
      return;
    }
  }
}

function isSame(record: KeyRecord, known: KeyRecord | undefined): boolean {
  return known !== undefined && record.version === known.version && record.createdAt === known.createdAt;
}
