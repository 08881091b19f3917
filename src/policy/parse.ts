import { Compile } from "typebox/compile";
import { hasControlCharacter } from "../protocol/index.ts";
import { patternFault } from "./channel.ts";
import { type EndpointEntry, parseEndpointEntry } from "./endpoint.ts";
import { type Fault, PolicyError, pointerTo, quote } from "./fault.ts";
import { formatInstant, parseInstant } from "./instant.ts";
import { limitNameFault, normalizeLimits } from "./limit.ts";
import { type Network, parseNetwork } from "./network.ts";
import { type OriginRule, parseOriginRule } from "./origin-rule.ts";
import { readBySchema } from "./reader.ts";
import {
  CHANNEL_ACTIONS,
  type ChannelAction,
  type ChannelRule,
  type Settings,
  settingsSchema,
} from "./settings.ts";

/** Settings with what their entries mean, each list in the order of the settings and without duplicates. */
export type ParsedSettings = {
  readonly settings: Settings;
  readonly endpoints: readonly EndpointEntry[];
  readonly origins: readonly OriginRule[];
  readonly networks: readonly Network[];
  /** Infinity: never. */
  readonly expiresAtMs: number;
};

/**
 * Validate and normalise settings into the complete document that is stored, shown and compared. Idempotent.
 *
 * @throws {PolicyError} with every fault
 */
export function parseSettings(input: unknown): Settings {
  return parseDocument(input, true).settings;
}

/**
 * Parse settings. `forWriting` adds the rules that may change under a stored record (the public suffix list) and so
 * apply only when somebody writes.
 *
 * @throws {PolicyError} with every fault
 */
export function parseDocument(input: unknown, forWriting: boolean): ParsedSettings {
  const faults: Fault[] = [];
  const clean = readBySchema(settingsSchema, input, "", faults);
  const name = partOf(clean, "name");
  if (typeof name === "string" && hasControlCharacter(name)) {
    faults.push({ pointer: "/name", message: "has a control character" });
  }
  const endpoints = parseEntries(clean, "endpoints", faults, parseEndpointEntry);
  const origins = parseEntries(clean, "domains", faults, (entry) => parseOriginRule(entry, forWriting));
  const networks = parseEntries(clean, "ips", faults, parseNetwork);
  const expiresAtMs = parseExpiry(partOf(clean, "expiresAt"), faults);
  const channels = parseRules(partOf(clean, "channels"), faults);
  checkLimitNames(partOf(clean, "limits"), faults);
  if (faults.length > 0) throw new PolicyError(faults);
  if (!checker().Check(clean)) {
    throw new PolicyError([{ pointer: "", message: "is not understood" }]);
  }
  const limits = normalizeLimits(clean.limits);
  const settings: Settings = {
    name: clean.name,
    enabled: clean.enabled ?? true,
    allowRealtime: clean.allowRealtime ?? false,
    endpoints: { mode: clean.endpoints?.mode ?? "no-access", list: endpoints.map((one) => one.text) },
    expiresAt: expiresAtMs === Number.POSITIVE_INFINITY ? null : formatInstant(expiresAtMs),
    domains: { mode: clean.domains?.mode ?? "all", list: origins.map((one) => one.text) },
    ips: { mode: clean.ips?.mode ?? "all", list: networks.map((one) => one.text) },
    ...(clean.channels === undefined ? {} : { channels }),
    ...(clean.broadcastTo === "everyone" ? { broadcastTo: clean.broadcastTo } : {}),
    ...(limits === undefined ? {} : { limits }),
    metadata: clean.metadata ?? {},
  };
  return { settings, endpoints, origins, networks, expiresAtMs };
}

let compiled: ReturnType<typeof compileSchema> | undefined;
const compileSchema = () => Compile(settingsSchema);

/** Compiled at the first use: walking the schema takes ten times as long with every long list. */
function checker(): ReturnType<typeof compileSchema> {
  compiled ??= compileSchema();
  return compiled;
}

/** Parse the strings of `<field>.list`, keeping the first of entries with the same canonical text. */
function parseEntries<T extends { readonly text: string }>(
  clean: unknown,
  field: string,
  faults: Fault[],
  parse: (entry: string) => T | string,
): T[] {
  const parsed = new Map<string, T>();
  for (const [index, entry] of elementsOf(partOf(partOf(clean, field), "list"))) {
    if (typeof entry !== "string") continue; // named by the reader
    const result = parse(entry);
    if (typeof result === "string") faults.push({ pointer: `/${field}/list/${index}`, message: result });
    else if (!parsed.has(result.text)) parsed.set(result.text, result);
  }
  return [...parsed.values()];
}

function parseExpiry(value: unknown, faults: Fault[]): number {
  if (typeof value !== "string") return Number.POSITIVE_INFINITY;
  const instantMs = parseInstant(value);
  if (instantMs !== null) return instantMs;
  const message =
    "is not an RFC 3339 date-time with a zone that exists: write one such as 2027-01-31T00:00:00Z";
  faults.push({ pointer: "/expiresAt", message });
  return Number.POSITIVE_INFINITY;
}

/** Rules with the same pattern become one; actions are put in the order of the schema. */
function parseRules(value: unknown, faults: Fault[]): ChannelRule[] {
  const granted = new Map<string, Set<ChannelAction>>();
  for (const [index, rule] of elementsOf(value)) {
    const pointer = pointerTo("/channels", index);
    const pattern = partOf(rule, "pattern");
    if (typeof pattern !== "string") continue; // named by the reader
    const fault = patternFault(pattern);
    if (fault !== null) faults.push({ pointer: pointerTo(pointer, "pattern"), message: fault });
    const actions = granted.get(pattern) ?? new Set<ChannelAction>();
    granted.set(pattern, actions);
    for (const [place, given] of elementsOf(partOf(rule, "actions"))) {
      const action = CHANNEL_ACTIONS.find((one) => one === given);
      if (action === "broadcast" && pattern !== "**") {
        const message = 'is not about a channel, so it can be granted only with the pattern "**"';
        faults.push({ pointer: pointerTo(pointerTo(pointer, "actions"), place), message });
      } else if (action !== undefined) {
        actions.add(action);
      }
    }
  }
  return [...granted].map(([pattern, actions]) => ({
    pattern,
    actions: CHANNEL_ACTIONS.filter((action) => actions.has(action)),
  }));
}

function checkLimitNames(value: unknown, faults: Fault[]): void {
  const taken = new Set<string>();
  for (const [index, limit] of elementsOf(value)) {
    const name = partOf(limit, "name");
    if (typeof name !== "string") continue; // named by the reader
    const message = taken.has(name)
      ? `"${quote(name)}" is the name of another limit too: give each its own`
      : limitNameFault(name);
    if (message !== null) faults.push({ pointer: pointerTo(pointerTo("/limits", index), "name"), message });
    taken.add(name);
  }
}

function partOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}

function elementsOf(value: unknown): Iterable<[number, unknown]> {
  const elements: unknown[] = Array.isArray(value) ? value : [];
  return elements.entries();
}
