import { isSameRecord, type KeyRecord, type KeyStore, validSecret } from "../keys/index.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import { LoadAccount, LoadLedger } from "../overload/index.ts";
import { compileStored, type Policy } from "../policy/index.ts";
import { Alarm } from "./alarm.ts";
import { EnforcedChanges } from "./enforced-changes.ts";
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
  /** The store's revision before its record was last read; undefined: to be read again. */
  readAt: string | undefined;
  /** What it made this node do lately. */
  readonly load: LoadAccount;
};

/** Keys without connections whose compiled policy is kept for the next request. */
const MAX_IDLE_KEYS = 10_000;
/** Digests whose key is remembered, and digests of no key. */
const MAX_DIGESTS = 10_000;
const MAX_UNKNOWN = 1_000;

export type LiveKeysOptions = {
  readonly keys: KeyStore;
  readonly sweepSeconds: number;
  readonly log: Logger;
  readonly now: () => number;
  /** Where the work of keys is counted. */
  readonly ledger?: LoadLedger | undefined;
  /** A key that is held decides differently from now on. */
  readonly onChange: (keyId: string) => Promise<void> | undefined;
};

/**
 * The keys in use with their compiled policies, kept up to date by the store's feed, by look-ups, by a sweep and by the
 * clock. Owns at most {@link MAX_IDLE_KEYS} unused ones and those that are held.
 *
 * A look-up compares the store's revision with the one before which the key was last read. While it stays the same no
 * process has written a key, and what is known answers; otherwise each key is read once more when it is next asked for. The
 * sweep lets all of them be read again, too, so that a program that writes keys without the revision is seen within it.
 */
export class LiveKeys {
  readonly #keys: KeyStore;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #ledger: LoadLedger;
  readonly #enforced: EnforcedChanges;
  readonly #live = new Map<string, LiveKey>();
  /** Those of them that nobody holds, least recently used first. */
  readonly #idle = new Set<string>();
  /** By a secret's digest, first found first. */
  readonly #byDigest = new Map<string, LiveKey>();
  /** Digests that no key had at {@link #revision}, first asked first. */
  readonly #unknown = new Set<string>();
  /** The store's revision when it was last asked; undefined: nothing that was read before is believed. */
  #revision: string | undefined;
  readonly #changes = new RecentChanges();
  readonly #unsubscribe: () => void;
  readonly #sweepTimer: NodeJS.Timeout;
  #sweeping = false;

  constructor(options: LiveKeysOptions) {
    this.#keys = options.keys;
    this.#log = options.log;
    this.#now = options.now;
    this.#enforced = new EnforcedChanges({ enforce: options.onChange, log: options.log });
    this.#ledger = options.ledger ?? new LoadLedger();
    this.#unsubscribe = options.keys.subscribe(({ id, record }) => {
      this.#changes.note(id);
      const live = this.#live.get(id);
      return live === undefined ? undefined : this.#change(live, record);
    });
    this.#sweepTimer = setInterval(() => void this.sweep(), options.sweepSeconds * 1_000);
    this.#sweepTimer.unref();
  }

  /**
   * The key of a secret's digest; undefined when there is none. Answers at once for a key that is known and that nobody has
   * written since, where the store tells its revision at once. @throws or rejects with what the store throws
   */
  find(digest: string): LiveKey | undefined | Promise<LiveKey | undefined> {
    const revision = this.#keys.revision();
    return typeof revision === "string"
      ? this.#findAt(digest, revision)
      : revision.then((found) => this.#findAt(digest, found));
  }

  #findAt(digest: string, revision: string): LiveKey | undefined | Promise<LiveKey | undefined> {
    if (revision !== this.#revision) {
      this.#revision = revision;
      this.#unknown.clear();
    }
    const known = this.#byDigest.get(digest);
    // One that was let go and is in use again is another object by now.
    if (known?.readAt === revision && this.#live.get(known.id) === known)
      return this.#validKey(known, digest);
    return this.#unknown.has(digest) ? undefined : this.#read(digest, revision);
  }

  async #read(digest: string, revision: string): Promise<LiveKey | undefined> {
    let since = this.#changes.begin();
    try {
      for (;;) {
        const record = await this.#keys.findByDigest(digest);
        if (record === undefined) {
          this.#noteUnknown(digest, revision);
          return undefined;
        }
        // What was read may be older than a change that the feed has told since: read again.
        if (!this.#changes.has(record.id, since))
          return this.#noteFound(digest, this.#liveKey(record, revision));
        since = this.#changes.now;
      }
    } finally {
      this.#changes.end();
    }
  }

  #validKey(live: LiveKey, digest: string): LiveKey | undefined {
    const { record } = live;
    return record !== undefined && validSecret(record, digest, this.#now()) !== undefined ? live : undefined;
  }

  #noteFound(digest: string, live: LiveKey): LiveKey {
    this.#byDigest.delete(digest);
    this.#byDigest.set(digest, live);
    if (this.#byDigest.size > MAX_DIGESTS) dropFirst(this.#byDigest);
    return live;
  }

  /** Not when the store has changed since it was asked: then somebody may have stored it. */
  #noteUnknown(digest: string, revision: string): void {
    if (this.#revision !== revision) return;
    this.#byDigest.delete(digest);
    this.#unknown.add(digest);
    if (this.#unknown.size > MAX_UNKNOWN) dropFirst(this.#unknown);
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
    // Also while the store does not answer: a wall clock that jumped ahead has passed instants whose timers still run.
    for (const { alarm } of this.#live.values()) alarm.check();
    if (this.#sweeping) return;
    this.#sweeping = true;
    // So that nothing is believed for longer than one sweep by the revision alone.
    this.#revision = undefined;
    this.#unknown.clear();
    try {
      const known: KeyRecord[] = [];
      for (const live of this.#live.values()) {
        live.readAt = undefined;
        if (live.holders > 0 && live.record !== undefined) known.push(live.record);
      }
      const asked = new Map(known.map((record) => [record.id, record]));
      for (const { id, record } of await this.#keys.sweep(known)) {
        const live = this.#live.get(id);
        // Nothing newer came meanwhile: what the store has is true, a restored older version too.
        if (live !== undefined && live.record === asked.get(id)) this.#replace(live, record);
      }
      await this.#enforced.all();
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
    this.#byDigest.clear();
    this.#unknown.clear();
  }

  #liveKey(record: KeyRecord, readAt: string): LiveKey {
    const known = this.#live.get(record.id);
    if (known !== undefined) {
      known.readAt = readAt;
      // Written by another process: told by this look-up before the sweep comes to it. It cannot be older than
      // what is known, because whatever came since this look-up began would have made it read again.
      if (!isSameRecord(record, known.record)) this.#replace(known, record);
      this.#rest(known);
      return known;
    }
    const alarm = new Alarm(() => this.#ring(live), this.#now);
    const load = new LoadAccount(record.id, this.#ledger);
    const policy = this.#compile(record);
    const live: LiveKey = { id: record.id, record, policy, holders: 0, alarm, readAt, load };
    this.#live.set(record.id, live);
    this.#rest(live);
    return live;
  }

  /** @returns what resolves when the change is enforced, also where a look-up has told it before. */
  #change(live: LiveKey, record: KeyRecord | undefined): Promise<void> | undefined {
    if (record === undefined || !isSameRecord(record, live.record)) this.#replace(live, record);
    return this.#enforced.of(live.id);
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
    this.#enforced.begin(live.id);
  }

  #ring(live: LiveKey): void {
    this.#arm(live);
    this.#enforced.begin(live.id);
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
    const oldest = dropFirst(this.#idle);
    if (oldest !== undefined) this.#live.delete(oldest);
  }
}

/** @returns its name */
function dropFirst(names: Map<string, unknown> | Set<string>): string | undefined {
  for (const name of names.keys()) {
    names.delete(name);
    return name;
  }
  return undefined;
}
