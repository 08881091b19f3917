import { performance } from "node:perf_hooks";
import { UnreadableRecordError, validSecret } from "../keys/index.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import { Traffic } from "../observe/traffic.ts";
import { LoadLedger } from "../overload/index.ts";
import {
  type AccessRequest,
  decide,
  type Limit,
  type LimitKind,
  type Policy,
  unheardMessage,
} from "../policy/index.ts";
import { type BroadcastAudience, type Refusal, refuse } from "../protocol/index.ts";
import type { ConnectionRegistry, Preview, Verdict } from "./connection-registry.ts";
import { explainRequest } from "./explanation.ts";
import type { Asker, Explanation, GateDenial, GateOptions, Identity, Unknown, Whence } from "./gate-types.ts";
import { type Charge, MemoryCounters, RateLimits } from "./limits/index.ts";
import { type LiveKey, LiveKeys } from "./live-keys.ts";
import type { PresentedKey } from "./presented-key.ts";
import { RecentDigests } from "./recent-digests.ts";
import { UsageReporter } from "./usage-reporter.ts";

const ALLOWED: Verdict = { allowed: true };
type Found = Identity | Refusal;

/**
 * The one door: who is it, may they, and how often. Owns the live keys, the counts of their usage and the counters of
 * their limits.
 */
export class Gate {
  /** Where the work of owners is counted, for the guard against overload. */
  readonly ledger = new LoadLedger();
  readonly #keyRequired: boolean;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #live: LiveKeys;
  readonly #digests = new RecentDigests();
  readonly #usage: UsageReporter;
  readonly #limits: RateLimits;
  readonly #onDenied: (denial: GateDenial) => void;
  readonly #traffic: Traffic;
  #registry: ConnectionRegistry | undefined;

  constructor(options: GateOptions) {
    this.#keyRequired = options.keyRequired;
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
    this.#live = new LiveKeys({
      keys: options.keys,
      sweepSeconds: options.sweepSeconds,
      log: options.log,
      now: this.#now,
      ledger: this.ledger,
      onChange: (keyId) => this.#registry?.enforce(keyId),
    });
    this.#onDenied = options.onDenied ?? (() => {});
    this.#traffic = options.traffic ?? new Traffic();
    this.#limits = new RateLimits(options.counters ?? new MemoryCounters());
    this.#usage = new UsageReporter(options.keys, options.log, this.#now);
  }

  /** Set once, by the composition root. */
  watch(registry: ConnectionRegistry): void {
    this.#registry = registry;
  }

  /**
   * Who is it? A store that is away is `unavailable`, never an invalid key. A promise only where the store has to be read,
   * so that a key in use costs no turn.
   */
  authenticate(presented: PresentedKey, whence?: Whence): Found | Promise<Found> {
    return this.#identify(presented, { whence });
  }

  /** The same, asked by nobody who wants in: not noted anywhere. */
  identify(presented: PresentedKey): Found | Promise<Found> {
    return this.#identify(presented, undefined);
  }

  #identify(presented: PresentedKey, asker: Unknown | undefined): Found | Promise<Found> {
    const digest = this.#digestOf(presented);
    if (typeof digest === "string") return this.#find(digest, asker);
    return "allowed" in digest ? this.#refused(digest, asker) : digest;
  }

  #refused(refusal: Refusal, asker: Unknown | undefined): Refusal {
    if (asker !== undefined) {
      const { code, message } = refusal;
      const { whence } = asker;
      this.#onDenied({ code, message, keyId: null, keyName: null, request: undefined, whence });
    }
    return refusal;
  }

  /** The digest to look up, or the answer where there is nothing to look up. */
  #digestOf(presented: PresentedKey): string | Identity | Refusal {
    if ("allowed" in presented) return presented;
    const { secret } = presented;
    if (secret === undefined) return this.#keyRequired ? refuse("missing_api_key") : { key: null };
    return this.#digests.of(secret) ?? refuse("invalid_api_key");
  }

  #find(digest: string, asker: Unknown | undefined): Found | Promise<Found> {
    try {
      const key = this.#live.find(digest);
      if (!(key instanceof Promise)) return this.#identityOf(key, digest, asker);
      return key.then(
        (found) => this.#identityOf(found, digest, asker),
        (error: unknown) => this.#notFound(error, asker),
      );
    } catch (error) {
      return this.#notFound(error, asker);
    }
  }

  #identityOf(key: LiveKey | undefined, digest: string, asker: Unknown | undefined): Found {
    if (key === undefined) return this.#refused(refuse("invalid_api_key"), asker);
    // The record's own text of the digest, which many connections share.
    const shared = key.record?.secrets.find((entry) => entry.digest === digest)?.digest;
    return { key, digest: shared ?? digest };
  }

  #notFound(error: unknown, asker: Unknown | undefined): Refusal {
    const isUnreadable = error instanceof UnreadableRecordError;
    this.#log.error(
      { fault: faultOf(error) },
      isUnreadable ? "a stored key cannot be read and is denied" : "the key store did not answer",
    );
    return this.#refused(refuse(isUnreadable ? "invalid_api_key" : "unavailable"), asker);
  }

  /** May they? By the key's newest settings that this node knows. Does not wait for anything; counted as usage. */
  decide(identity: Identity, request: AccessRequest): Verdict {
    const beganMs = performance.now();
    const verdict = this.note(identity, request, this.recheck(identity, request));
    this.#traffic.decisionTime.observe(performance.now() - beganMs);
    return verdict;
  }

  /** Count an answer as usage. @returns the answer. */
  note<T extends Verdict>(identity: Identity, request: AccessRequest, verdict: T): T {
    const keyId = identity.key?.id ?? null;
    if (verdict.allowed) {
      this.#traffic.allowed += 1;
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
   * May they do this once, now? The key's limits of this kind come last and count it if everything allows it. A promise only
   * where a limit counts, so that a key without limits keeps its order as it is.
   */
  charge(
    identity: Identity,
    request: AccessRequest,
    asker: Asker = {},
    kind: LimitKind = "calls",
  ): Charge | Promise<Charge> {
    const beganMs = performance.now();
    const verdict = this.recheck(identity, request);
    const { key } = identity;
    const limits = this.limitsOf(identity, kind);
    if (key === null || limits.length === 0 || !verdict.allowed) {
      this.#traffic.decisionTime.observe(performance.now() - beganMs);
      return this.note(identity, request, verdict);
    }
    return this.#chargeLimits(key.id, limits, identity, request, asker).finally(() =>
      this.#traffic.decisionTime.observe(performance.now() - beganMs),
    );
  }

  /** The limits that count what this caller does. */
  limitsOf({ key }: Identity, kind: LimitKind): readonly Limit[] {
    return key === null ? NO_LIMITS : (this.#live.newest(key).policy?.limitsByKind[kind] ?? NO_LIMITS);
  }

  /** Count what may always be done, such as leaving a channel, in every limit that is not used up. */
  async count(identity: Identity, ip: string | null, asker: Asker, kind: LimitKind): Promise<void> {
    const { key } = identity;
    if (key === null) return;
    try {
      await this.#limits.count(key.id, this.limitsOf(identity, kind), { ...asker, ip });
    } catch (error) {
      this.#log.error({ fault: faultOf(error) }, "the counters of limits did not answer");
    }
  }

  /** Whom a broadcast of this caller reaches, by the key's newest settings that this node knows. */
  audienceOf({ key }: Identity): BroadcastAudience {
    if (key === null) return { keyId: null };
    const { id, policy } = this.#live.newest(key);
    return policy?.broadcastTo === "everyone" ? "everyone" : { keyId: id };
  }

  /** {@link charge} for a broadcast of somebody without a connection. One that nobody of its key could hear is refused. */
  chargeBroadcast(identity: Identity, request: AccessRequest): Charge | Promise<Charge> {
    const keyId = identity.key?.id;
    const isHeard = keyId === undefined || this.connectionsOf(keyId) > 0;
    if (isHeard || this.audienceOf(identity) === "everyone") return this.charge(identity, request);
    const verdict = this.recheck(identity, request);
    return this.note(
      identity,
      request,
      verdict.allowed ? refuse("channel_not_allowed", unheardMessage()) : verdict,
    );
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

  /** See {@link explainRequest}. `keyId` null: settings that no key has yet. */
  explain(keyId: string | null, policy: Policy, request: AccessRequest): Promise<Explanation> {
    return explainRequest({ keyId, policy }, request, this.#limits, this.#now());
  }

  /** The same question again, about something that was let in before: not counted. */
  recheck(identity: Identity, request: AccessRequest): Verdict {
    if (identity.key === null) {
      return request.action === "endpoint" || this.#keyRequired ? refuse("missing_api_key") : ALLOWED;
    }
    const { record, policy } = this.#live.newest(identity.key);
    if (record === undefined || policy === undefined) return refuse("invalid_api_key");
    const now = this.#now();
    if (validSecret(record, identity.digest, now) === undefined) return refuse("invalid_api_key");
    return decide(policy, request, now);
  }

  /** Somebody uses this key from now on: it is kept up to date until the matching `release`. */
  hold({ key }: Identity): void {
    if (key !== null) this.#live.hold(key);
  }

  release({ key }: Identity): void {
    if (key !== null) this.#live.release(key);
  }

  /** Compare the keys in use with the store: catches a lost notice and what other processes wrote. */
  sweep(): Promise<void> {
    return this.#live.sweep();
  }

  /** Live connections of a key on this node. */
  connectionsOf(keyId: string): number {
    return this.#registry?.countOf(keyId) ?? 0;
  }

  /** What these settings would do to the key's live connections on this node. */
  async preview(keyId: string, policy: Policy): Promise<Preview> {
    const nothing = { total: 0, closing: 0, leaving: 0, byCode: {}, byOrigin: {}, examples: [] };
    const preview = this.#registry?.preview(keyId, (request) => decide(policy, request, this.#now()));
    return (await preview) ?? nothing;
  }

  /** Put what was counted into the store. */
  flushUsage(): Promise<void> {
    return this.#usage.flush();
  }

  /** Write what is counted and let go of everything. */
  async close(): Promise<void> {
    await this.#usage.close();
    await this.#limits.close();
    this.#digests.close();
    this.#live.close();
  }
}

const NO_LIMITS: readonly Limit[] = Object.freeze([]);
