import type { ConnectionRegistry, Preview, Verdict } from "./connection-registry.ts";
import { Alarm } from "./keys/alarm.ts";
import {
  digestOf,
  isPossibleSecret,
  type KeyRecord,
  type KeyStore,
  UnreadableRecordError,
  validSecret,
} from "./keys/index.ts";
import type { PresentedKey } from "./keys/presented-key.ts";
import { UsageReporter } from "./keys/usage-reporter.ts";
import { type Caller, type Charge, type Counters, MemoryCounters, RateLimits } from "./limits/index.ts";
import { faultOf, type Logger } from "./observe/log.ts";
import {
  type AccessRequest,
  type Check,
  compileStored,
  decide,
  explain,
  type Limit,
  type Policy,
} from "./policy/index.ts";
import { type Refusal, refuse } from "./protocol/index.ts";

export type {
  ConnectionList,
  ConnectionPage,
  ConnectionQuery,
  ConnectionRegistry,
  ConnectionView,
  Preview,
  PreviewExample,
  Verdict,
} from "./connection-registry.ts";
export { type KeySources, type PresentedKey, presentedKey } from "./keys/presented-key.ts";
export type { Charge } from "./limits/index.ts";

const ALLOWED: Verdict = { allowed: true };

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

/** Who a request or a connection is: a key and the digest of the secret it came with, or nobody (keys not required). */
export type Identity = { readonly key: LiveKey; readonly digest: string } | { readonly key: null };

/** A refusal of a known key, as it is told to whoever keeps samples. */
export type GateDenial = {
  readonly code: string;
  readonly message: string;
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly request: AccessRequest | undefined;
  readonly whence?: Whence | undefined;
};

/** Where a request comes from. */
export type Whence = { readonly origin: string | undefined; readonly ip: string | null };

/** The connection and the client that ask: a limit may count by them. */
export type Asker = Omit<Caller, "ip">;

export type Explanation = { readonly decision: Verdict; readonly checks: readonly Check[] };

export type GateOptions = {
  readonly keys: KeyStore;
  readonly keyRequired: boolean;
  readonly sweepSeconds: number;
  readonly log: Logger;
  readonly now?: () => number;
  /** Told of every refusal, on the hot path: must be quick. */
  readonly onDenied?: (denial: GateDenial) => void;
  /** Where calls are counted; closed with the gate. By default in this process's memory. */
  readonly counters?: Counters;
};

/** Keys without connections whose compiled policy is kept for the next request. */
const MAX_IDLE_KEYS = 10_000;

/**
 * The one door: who is it, and may they. Owns the live keys: at most {@link MAX_IDLE_KEYS} unused ones and
 * those that connections hold.
 */
export class Gate {
  readonly #keys: KeyStore;
  readonly #keyRequired: boolean;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #live = new Map<string, LiveKey>();
  /** Those of them that no connection holds, least recently used first. */
  readonly #idle = new Set<string>();
  /** Look-ups under way, each with the ids that changed since it began. */
  readonly #lookups = new Set<Set<string>>();
  readonly #unsubscribe: () => void;
  readonly #sweepTimer: NodeJS.Timeout;
  readonly #usage: UsageReporter;
  readonly #limits: RateLimits;
  readonly #onDenied: (denial: GateDenial) => void;
  #registry: ConnectionRegistry | undefined;
  #sweeping = false;

  constructor(options: GateOptions) {
    this.#keys = options.keys;
    this.#keyRequired = options.keyRequired;
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
    this.#unsubscribe = options.keys.subscribe(({ id, record }) => {
      for (const changed of this.#lookups) changed.add(id);
      const live = this.#live.get(id);
      if (live !== undefined) this.#change(live, record);
    });
    this.#sweepTimer = setInterval(() => void this.sweep(), options.sweepSeconds * 1_000);
    this.#sweepTimer.unref();
    this.#onDenied = options.onDenied ?? (() => {});
    this.#limits = new RateLimits(options.counters ?? new MemoryCounters());
    this.#usage = new UsageReporter(options.keys, options.log, this.#now);
  }

  /** Set once, by the composition root. */
  watch(registry: ConnectionRegistry): void {
    this.#registry = registry;
  }

  /** Who is it? A store that is away is `unavailable`, never an invalid key. */
  async authenticate(presented: PresentedKey, whence?: Whence): Promise<Identity | Refusal> {
    const identity = await this.identify(presented);
    if ("allowed" in identity) {
      const { code, message } = identity;
      this.#onDenied({ code, message, keyId: null, keyName: null, request: undefined, whence });
    }
    return identity;
  }

  /** The same, asked by nobody who wants in: not noted anywhere. */
  async identify(presented: PresentedKey): Promise<Identity | Refusal> {
    if ("allowed" in presented) return presented;
    if (presented.secret === undefined) return this.#keyRequired ? refuse("missing_api_key") : { key: null };
    if (!isPossibleSecret(presented.secret)) return refuse("invalid_api_key");
    const digest = digestOf(presented.secret);
    const changed = new Set<string>();
    this.#lookups.add(changed);
    try {
      for (;;) {
        const record = await this.#keys.findBySecret(presented.secret);
        if (record === undefined) return refuse("invalid_api_key");
        // What was read may be older than a change that the feed has told since: read again.
        if (changed.delete(record.id)) continue;
        return { key: this.#liveKey(record), digest };
      }
    } catch (error) {
      if (error instanceof UnreadableRecordError) {
        this.#log.error({ fault: faultOf(error) }, "a stored key cannot be read and is denied");
        return refuse("invalid_api_key");
      }
      this.#log.error({ fault: faultOf(error) }, "the key store did not answer");
      return refuse("unavailable");
    } finally {
      this.#lookups.delete(changed);
    }
  }

  /** May they? By the key's newest settings that this node knows. Does not wait for anything; counted as usage. */
  decide(identity: Identity, request: AccessRequest): Verdict {
    return this.note(identity, request, this.recheck(identity, request));
  }

  /** Count an answer as usage. @returns the answer. */
  note<T extends Verdict>(identity: Identity, request: AccessRequest, verdict: T): T {
    const keyId = identity.key?.id ?? null;
    if (verdict.allowed) {
      if (keyId !== null) this.#usage.allowed(keyId);
    } else {
      if (keyId !== null) this.#usage.denied(keyId, verdict.code);
      const { code, message } = verdict;
      const keyName = identity.key?.policy?.settings.name ?? null;
      this.#onDenied({ code, message, keyId, keyName, request });
    }
    return verdict;
  }

  /**
   * May they do this once, now: publish, broadcast or call an endpoint? The key's limits come last and count the call if
   * everything allows it. A promise only where a limit counts, so that a key without limits keeps its order as it is.
   */
  charge(identity: Identity, request: AccessRequest, asker: Asker = {}): Charge | Promise<Charge> {
    const verdict = this.recheck(identity, request);
    const { key } = identity;
    const limits = this.limitsOf(identity);
    if (key === null || limits.length === 0 || !verdict.allowed) return this.note(identity, request, verdict);
    return this.#chargeLimits(key.id, limits, identity, request, asker);
  }

  /** The limits that count what this caller does. */
  limitsOf({ key }: Identity): readonly Limit[] {
    return key === null ? [] : ((this.#live.get(key.id) ?? key).policy?.limits ?? []);
  }

  async #chargeLimits(
    keyId: string,
    limits: readonly Limit[],
    identity: Identity,
    request: AccessRequest,
    asker: Asker,
  ): Promise<Charge> {
    try {
      const charge = await this.#limits.charge(keyId, limits, { ...asker, ip: request.ip });
      // The key may have changed while the counters were asked.
      const verdict = this.recheck(identity, request);
      if (verdict.allowed) return this.note(identity, request, charge);
      await charge.giveBack?.();
      return this.note(identity, request, verdict);
    } catch (error) {
      this.#log.error({ fault: faultOf(error) }, "the counters of limits did not answer");
      return refuse("unavailable");
    }
  }

  /**
   * The decision about a request that nobody has sent, and every check that leads to it. Limits are read, not used; what
   * counts by connection or client is shown as over HTTP, by address. `keyId` null: settings that no key has yet.
   */
  async explain(keyId: string | null, policy: Policy, request: AccessRequest): Promise<Explanation> {
    const now = this.#now();
    const decision = decide(policy, request, now);
    const checks = explain(policy, request, now);
    if (!isCounted(request)) return { decision, checks };
    const limits = await this.#limits.explain(keyId, policy.limits, { ip: request.ip });
    return {
      decision: decision.allowed ? limits.verdict : decision,
      checks: [...checks, ...limits.checks],
    };
  }

  /** The same question again, about something that was let in before: not counted. */
  recheck(identity: Identity, request: AccessRequest): Verdict {
    if (identity.key === null) {
      return request.action === "endpoint" || this.#keyRequired ? refuse("missing_api_key") : ALLOWED;
    }
    const { record, policy } = this.#live.get(identity.key.id) ?? identity.key;
    if (record === undefined || policy === undefined) return refuse("invalid_api_key");
    const now = this.#now();
    if (validSecret(record, identity.digest, now) === undefined) return refuse("invalid_api_key");
    return decide(policy, request, now);
  }

  /** A connection uses this key from now on: it is kept up to date until the matching `release`. */
  hold({ key }: Identity): void {
    if (key === null) return;
    const live = this.#live.get(key.id) ?? key;
    // It may have been let go between its look-up and now.
    if (live.record !== undefined) this.#live.set(live.id, live);
    live.holders += 1;
    this.#idle.delete(live.id);
    if (live.holders === 1) this.#arm(live);
  }

  release({ key }: Identity): void {
    if (key === null) return;
    const live = this.#live.get(key.id) ?? key;
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

  /** Live connections of a key on this node. */
  connectionsOf(keyId: string): number {
    return this.#registry?.countOf(keyId) ?? 0;
  }

  /** What these settings would do to the key's live connections on this node. */
  preview(keyId: string, policy: Policy): Preview {
    const nothing = { total: 0, closing: 0, leaving: 0, byCode: {}, byOrigin: {}, examples: [] };
    return this.#registry?.preview(keyId, (request) => decide(policy, request, this.#now())) ?? nothing;
  }

  /** Put what was counted into the store. */
  flushUsage(): Promise<void> {
    return this.#usage.flush();
  }

  /** Write what is counted and let go of everything. */
  async close(): Promise<void> {
    await this.#usage.close();
    await this.#limits.close();
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
    for (const changed of this.#lookups) changed.add(live.id);
    live.record = record;
    live.policy = record === undefined ? undefined : this.#compile(record);
    // While connections hold it, a deleted key stays known: one that is restored under its id is this one again.
    if (record === undefined && live.holders === 0) {
      this.#live.delete(live.id);
      this.#idle.delete(live.id);
    }
    if (live.holders === 0) return;
    this.#arm(live);
    this.#registry?.enforce(live.id);
  }

  #ring(live: LiveKey): void {
    this.#arm(live);
    this.#registry?.enforce(live.id);
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

/** What limits count. */
function isCounted({ action }: AccessRequest): boolean {
  return action === "publish" || action === "broadcast" || action === "endpoint";
}

function isSame(record: KeyRecord, known: KeyRecord | undefined): boolean {
  return known !== undefined && record.version === known.version && record.createdAt === known.createdAt;
}
