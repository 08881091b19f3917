import { parseInstant } from "./instant.ts";
import { parseDocument } from "./parse.ts";
import { CHANNEL_ACTIONS, type ChannelRule, type Settings } from "./settings.ts";

/**
 * Whether `after` provably grants nothing that `before` does not: then it may be enforced before it is stored. What cannot
 * be proved by comparing the settings one by one is no narrowing, with one exception: a key that is disabled grants nothing.
 */
export function isNarrowing(before: unknown, after: unknown): boolean {
  const [was, is] = [normalized(before), normalized(after)];
  if (is === undefined) return isDisabled(after);
  if (!is.enabled) return true;
  if (was === undefined || !was.enabled) return false;
  return (
    (was.allowRealtime || !is.allowRealtime) &&
    isEarlier(was.expiresAt, is.expiresAt) &&
    endsWithin(was.endpoints, is.endpoints) &&
    isListWithin(was.domains, is.domains) &&
    isListWithin(was.ips, is.ips) &&
    areRulesWithin(was.channels, is.channels) &&
    areLimitsWithin(was.limits ?? [], is.limits ?? []) &&
    isSame(othersOf(was), othersOf(is))
  );
}

/** Also of settings of which something else cannot be read. */
function isDisabled(settings: unknown): boolean {
  return (
    typeof settings === "object" && settings !== null && "enabled" in settings && settings.enabled === false
  );
}

/** As a stored key is read. Undefined for what cannot be read, which grants nothing. */
function normalized(settings: unknown): Settings | undefined {
  try {
    return parseDocument(settings, false).settings;
  } catch {
    return undefined;
  }
}

/** Settings of which nothing is known here have to stay the same; a name and notes decide nothing. */
function othersOf(settings: Settings): object {
  const {
    name,
    metadata,
    enabled,
    allowRealtime,
    endpoints,
    expiresAt,
    domains,
    ips,
    channels,
    limits,
    ...others
  } = settings;
  return others;
}

function isEarlier(was: string | null, is: string | null): boolean {
  if (was === null || is === was) return true;
  const [wasMs, isMs] = [parseInstant(was), is === null ? null : parseInstant(is)];
  return wasMs !== null && isMs !== null && isMs <= wasMs;
}

function endsWithin(was: Settings["endpoints"], is: Settings["endpoints"]): boolean {
  if (is.mode === "no-access" || was.mode === "full-access") return true;
  if (was.mode !== is.mode) return false;
  return was.mode === "custom-excluded" ? isSubset(was.list, is.list) : isSubset(is.list, was.list);
}

function isListWithin(was: Settings["domains"], is: Settings["domains"]): boolean {
  if (was.mode === "all") return true;
  return is.mode === "specified" && isSubset(is.list, was.list);
}

/** Each rule has to be under one of the same pattern: patterns are not compared with each other. */
function areRulesWithin(was: Settings["channels"], is: Settings["channels"]): boolean {
  if (is === undefined) return was === undefined;
  return is.every(({ pattern, actions }) => isSubset(actions, actionsOf(was, pattern)));
}

/** Absent rules grant the five actions in every channel, and none that comes later. */
function actionsOf(rules: Settings["channels"], pattern: string): readonly ChannelRule["actions"][number][] {
  if (rules === undefined) return CHANNEL_ACTIONS;
  return rules.flatMap((rule) => (rule.pattern === pattern ? rule.actions : []));
}

/** Each limit is still there, at most as high as it was. */
function areLimitsWithin(was: NonNullable<Settings["limits"]>, is: NonNullable<Settings["limits"]>): boolean {
  return was.every((old) =>
    is.some(({ limit, ...rest }) => {
      const { limit: oldLimit, ...oldRest } = old;
      return limit <= oldLimit && isSame(rest, oldRest);
    }),
  );
}

function isSubset(of: readonly string[], all: readonly string[]): boolean {
  const known = new Set(all);
  return of.every((entry) => known.has(entry));
}

/** Both are normalised, so that their members have one order. */
function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
