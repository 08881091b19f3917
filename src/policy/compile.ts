import { ChannelRules } from "./channel.ts";
import { EndpointRules } from "./endpoint.ts";
import { type Fault, PolicyError } from "./fault.ts";
import { NetworkSet } from "./network.ts";
import { OriginSet } from "./origin.ts";
import { type ParsedSettings, parseDocument } from "./parse.ts";
import type { BroadcastTo, Limit, LimitKind, Settings } from "./settings.ts";

/** Settings compiled once per version of a key, for fast and total decisions. Made here only; immutable. */
export type Policy = {
  /** The normalised settings. Of an unreadable record: settings that allow nothing. */
  readonly settings: Settings;
  /** Why a stored record cannot be read; empty for any other policy. With faults, every decision is a denial. */
  readonly faults: readonly Fault[];
  readonly enabled: boolean;
  readonly allowRealtime: boolean;
  /** Milliseconds since the epoch; Infinity: never. From this instant on every decision is a denial. */
  readonly expiresAtMs: number;
  readonly endpoints: EndpointRules;
  /** null: every origin, also none. */
  readonly origins: OriginSet | null;
  /** null: every address, also an unknown one. */
  readonly networks: NetworkSet | null;
  /** null: every channel and action. */
  readonly channels: ChannelRules | null;
  readonly broadcastTo: BroadcastTo;
  /** Counted by the gate, which alone knows what was used. Empty: no limit. */
  readonly limits: readonly Limit[];
  /** The same by what they count. */
  readonly limitsByKind: Readonly<Record<LimitKind, readonly Limit[]>>;
};

/**
 * Validate, normalise and compile settings as somebody writes them.
 *
 * @throws {PolicyError} with every fault
 */
export function compilePolicy(settings: unknown): Policy {
  return compile(parseDocument(settings, true), []);
}

/**
 * Compile settings as they were stored. Never throws: a record that is not understood as a whole gives a policy that
 * denies everything and holds the faults. Rules that apply only on write (public suffixes) are left out, so that a
 * new list does not brick a stored key.
 */
export function compileStored(settings: unknown): Policy {
  try {
    return compile(parseDocument(settings, false), []);
  } catch (error) {
    const faults = error instanceof PolicyError ? error.faults : [{ pointer: "", message: "cannot be read" }];
    return compile(unreadable, faults);
  }
}

/** What {@link compileStored} would say of the key as a whole, at half the cost: no request is decided by it. */
export function readStored(settings: unknown): Pick<Policy, "faults" | "enabled" | "expiresAtMs"> {
  try {
    const { settings: parsed, expiresAtMs } = parseDocument(settings, false);
    return { faults: [], enabled: parsed.enabled, expiresAtMs };
  } catch (error) {
    const faults = error instanceof PolicyError ? error.faults : [{ pointer: "", message: "cannot be read" }];
    return { faults, enabled: false, expiresAtMs: Number.POSITIVE_INFINITY };
  }
}

const unreadable: ParsedSettings = {
  settings: {
    name: "unreadable",
    enabled: false,
    allowRealtime: false,
    endpoints: { mode: "no-access", list: [] },
    expiresAt: null,
    domains: { mode: "specified", list: [] },
    ips: { mode: "specified", list: [] },
    channels: [],
    metadata: {},
  },
  endpoints: [],
  origins: [],
  networks: [],
  expiresAtMs: Number.POSITIVE_INFINITY,
};

const NO_LIMITS: readonly Limit[] = Object.freeze([]);
const NONE_OF_ANY_KIND = limitsByKind(NO_LIMITS);

function limitsByKind(limits: readonly Limit[]): Policy["limitsByKind"] {
  const of = (wanted: LimitKind): readonly Limit[] =>
    Object.freeze(limits.filter(({ kind = "calls" }) => kind === wanted));
  return Object.freeze({ calls: of("calls"), joins: of("joins"), reads: of("reads") });
}

function compile(parsed: ParsedSettings, faults: readonly Fault[]): Policy {
  const { settings } = parsed;
  return Object.freeze({
    settings,
    faults,
    enabled: settings.enabled,
    allowRealtime: settings.allowRealtime,
    expiresAtMs: parsed.expiresAtMs,
    endpoints: new EndpointRules(settings.endpoints.mode, parsed.endpoints),
    origins: settings.domains.mode === "all" ? null : new OriginSet(parsed.origins),
    networks: settings.ips.mode === "all" ? null : new NetworkSet(parsed.networks),
    channels: settings.channels === undefined ? null : new ChannelRules(settings.channels),
    broadcastTo: settings.broadcastTo ?? "key",
    limits: settings.limits ?? NO_LIMITS,
    limitsByKind: settings.limits === undefined ? NONE_OF_ANY_KIND : limitsByKind(settings.limits),
  });
}
