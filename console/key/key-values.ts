import type { ChannelRule, EndpointMode, Fault, LimitRule, ListMode } from "../api/types.ts";
import { type Document, isDocument } from "./settings-fields.ts";

export type ListValues<Mode> = { mode: Mode; list: string[] };
export type RuleValues = { pattern: string; actions: string[] };
export type LimitValues = {
  name: string;
  limit: number | string;
  windowSeconds: number | string;
  per: string;
};

/** What the form holds: settings, with a place for what is typed and not complete. */
export type KeyValues = {
  name: string;
  enabled: boolean;
  allowRealtime: boolean;
  endpoints: ListValues<EndpointMode>;
  expiresAt: string | null;
  domains: ListValues<ListMode>;
  ips: ListValues<ListMode>;
  channels: { mode: "all" | "rules"; list: RuleValues[] };
  limits: LimitValues[];
  /** As JSON. */
  metadata: string;
};

export const NEW_KEY: Document = {
  name: "",
  enabled: true,
  allowRealtime: true,
  endpoints: { mode: "no-access", list: [] },
  expiresAt: null,
  domains: { mode: "all", list: [] },
  ips: { mode: "all", list: [] },
  metadata: {},
};

const ENDPOINT_MODES: readonly EndpointMode[] = [
  "no-access",
  "full-access",
  "custom-allowed",
  "custom-excluded",
];
const LIST_MODES: readonly ListMode[] = ["all", "specified"];

/** Settings as they are stored, for the form. What cannot be read becomes its default, and differs from what is stored. */
export function valuesOf(settings: Document): KeyValues {
  const { name, expiresAt, channels, limits, metadata } = settings;
  return {
    name: typeof name === "string" ? name : "",
    enabled: settings["enabled"] !== false,
    allowRealtime: settings["allowRealtime"] === true,
    endpoints: listOf(settings["endpoints"], ENDPOINT_MODES),
    expiresAt: typeof expiresAt === "string" ? expiresAt : null,
    domains: listOf(settings["domains"], LIST_MODES),
    ips: listOf(settings["ips"], LIST_MODES),
    channels: {
      mode: Array.isArray(channels) ? "rules" : "all",
      list: (Array.isArray(channels) ? channels : []).filter(isDocument).map(ruleOf),
    },
    limits: (Array.isArray(limits) ? limits : []).filter(isDocument).map(limitOf),
    metadata:
      isDocument(metadata) && Object.keys(metadata).length > 0 ? JSON.stringify(metadata, null, 2) : "",
  };
}

/** Rows that nobody filled in. */
export function withoutBlanks(values: KeyValues): KeyValues {
  const filled = <T>(list: ListValues<T>): ListValues<T> => ({
    ...list,
    list: list.list.filter((entry) => entry.trim() !== ""),
  });
  const { channels } = values;
  return {
    ...values,
    endpoints: filled(values.endpoints),
    domains: filled(values.domains),
    ips: filled(values.ips),
    channels: { ...channels, list: channels.list.filter(({ pattern }) => pattern.trim() !== "") },
    limits: values.limits.filter(({ name, limit }) => name.trim() !== "" || limit !== ""),
  };
}

/** The form as settings. Metadata that is no JSON object stays text, which the server refuses at its place. */
export function settingsOf(values: KeyValues): Document {
  const { channels, limits, metadata, ...rest } = values;
  return {
    ...rest,
    name: rest.name.trim(),
    ...(channels.mode === "rules" ? { channels: channels.list } : {}),
    ...(limits.length > 0 ? { limits } : {}),
    metadata: metadata.trim() === "" ? {} : parsed(metadata),
  };
}

export type TabId = "general" | "domains" | "ips" | "channels" | "limits" | "activity";

/** Which tab shows the field at this path of the form, or at this JSON pointer. */
export function tabOf(path: string): TabId {
  const [field] = path.replace(/^\//, "").split(/[./]/);
  if (field === "domains" || field === "ips" || field === "channels" || field === "limits") return field;
  return "general";
}

/** Faults by the form's paths: `/domains/list/3` is `domains.list.3`. */
export function errorsOf(faults: readonly Fault[]): Record<string, string> {
  const errors = new Map<string, string>();
  for (const { pointer, message } of faults) {
    const parts = pointer.split("/").slice(1);
    if (parts[0] === "channels" && parts.length > 1) parts.splice(1, 0, "list");
    // Actions are one field of a rule, and metadata is one field whatever is in it.
    if (parts[0] === "channels" && parts[3] === "actions") parts.splice(4);
    if (parts[0] === "metadata") parts.splice(1);
    const path = parts.join(".") || "name";
    const earlier = errors.get(path);
    errors.set(path, earlier === undefined ? message : `${earlier}; ${message}`);
  }
  return Object.fromEntries(errors);
}

function listOf<Mode extends string>(
  value: unknown,
  modes: readonly [Mode, ...Mode[]] | readonly Mode[],
): ListValues<Mode> {
  const { mode, list } = isDocument(value) ? value : {};
  const known = modes.find((one) => one === mode) ?? modes[0];
  if (known === undefined) throw new TypeError("there is no mode");
  return { mode: known, list: Array.isArray(list) ? list.filter((entry) => typeof entry === "string") : [] };
}

function ruleOf(rule: Document): RuleValues {
  const { pattern, actions } = rule;
  return {
    pattern: typeof pattern === "string" ? pattern : "",
    actions: Array.isArray(actions) ? actions.filter((action) => typeof action === "string") : [],
  } satisfies { [Name in keyof ChannelRule]: unknown };
}

function limitOf(rule: Document): LimitValues {
  const { name, limit, windowSeconds, per } = rule;
  return {
    name: typeof name === "string" ? name : "",
    limit: typeof limit === "number" ? limit : "",
    windowSeconds: typeof windowSeconds === "number" ? windowSeconds : "",
    per: typeof per === "string" ? per : "connection",
  } satisfies { [Name in keyof LimitRule]: unknown };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
