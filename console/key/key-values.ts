import type { BroadcastTo, ChannelRule, EndpointMode, Fault, LimitRule, ListMode } from "../api/types.ts";
import { newRow, type Row, withRowsOf } from "./rows.ts";
import { type Document, isDocument } from "./settings-fields.ts";

export type ListValues<Mode, Entry = string> = { mode: Mode; list: Entry[] };
export type EntryValues = Row & { text: string };
export type RuleValues = Row & { pattern: string; actions: string[] };
export type LimitValues = Row & {
  name: string;
  limit: number | string;
  windowSeconds: number | string;
  per: string;
  kind: string;
};

/** What the form holds: settings, with a place for what is typed and not complete. */
export type KeyValues = {
  name: string;
  enabled: boolean;
  allowRealtime: boolean;
  endpoints: ListValues<EndpointMode>;
  expiresAt: string | null;
  domains: ListValues<ListMode, EntryValues>;
  ips: ListValues<ListMode, EntryValues>;
  channels: { mode: "all" | "rules"; list: RuleValues[] };
  broadcastTo: BroadcastTo;
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
    domains: entriesOf(settings["domains"]),
    ips: entriesOf(settings["ips"]),
    channels: {
      mode: Array.isArray(channels) ? "rules" : "all",
      list: (Array.isArray(channels) ? channels : []).filter(isDocument).map(ruleOf),
    },
    broadcastTo: settings["broadcastTo"] === "everyone" ? "everyone" : "key",
    limits: (Array.isArray(limits) ? limits : []).filter(isDocument).map(limitOf),
    metadata:
      isDocument(metadata) && Object.keys(metadata).length > 0 ? JSON.stringify(metadata, null, 2) : "",
  };
}

/** Newer settings in a form that shows earlier ones: what stays on the page is the same row. */
export function refreshed(shown: KeyValues, newest: KeyValues): KeyValues {
  const { domains, ips, channels, limits } = newest;
  return {
    ...newest,
    domains: { ...domains, list: withRowsOf(shown.domains.list, domains.list) },
    ips: { ...ips, list: withRowsOf(shown.ips.list, ips.list) },
    channels: { ...channels, list: withRowsOf(shown.channels.list, channels.list) },
    limits: withRowsOf(shown.limits, limits),
  };
}

/** Without the rows that nobody filled in. */
export function withoutBlanks(values: KeyValues): KeyValues {
  const { endpoints, domains, ips, channels } = values;
  const isFilled = ({ text }: EntryValues): boolean => text.trim() !== "";
  return {
    ...values,
    endpoints: { ...endpoints, list: endpoints.list.filter((entry) => entry.trim() !== "") },
    domains: { ...domains, list: domains.list.filter(isFilled) },
    ips: { ...ips, list: ips.list.filter(isFilled) },
    channels: { ...channels, list: channels.list.filter(({ pattern }) => pattern.trim() !== "") },
    limits: values.limits.filter(({ name, limit }) => name.trim() !== "" || limit !== ""),
  };
}

/** The form as settings. Metadata that is no JSON, or null, stays text, which the server refuses at its place. */
export function settingsOf(values: KeyValues): Document {
  const { domains, ips, channels, broadcastTo, limits, metadata, ...rest } = values;
  return {
    ...rest,
    name: rest.name.trim(),
    domains: { ...domains, list: domains.list.map(({ text }) => text) },
    ips: { ...ips, list: ips.list.map(({ text }) => text) },
    ...(channels.mode === "rules" ? { channels: channels.list.map(withoutRow) } : {}),
    // Absent at their defaults, as the server stores them: an older one goes on reading such a key.
    ...(broadcastTo === "key" ? {} : { broadcastTo }),
    ...(limits.length > 0 ? { limits: limits.map(limitSettings) } : {}),
    metadata: metadata.trim() === "" ? {} : parsed(metadata),
  };
}

export type TabId = "general" | "domains" | "ips" | "channels" | "limits" | "activity";

/** Which tab shows the field at this path of the form, or at this JSON pointer. */
export function tabOf(path: string): TabId {
  const [field] = path.replace(/^\//, "").split(/[./]/);
  if (field === "domains" || field === "ips" || field === "channels" || field === "limits") return field;
  if (field === "broadcastTo") return "channels";
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
    // An entry is the text of its row.
    if ((parts[0] === "domains" || parts[0] === "ips") && parts.length === 3) parts.push("text");
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

function entriesOf(value: unknown): ListValues<ListMode, EntryValues> {
  const { mode, list } = listOf(value, LIST_MODES);
  return { mode, list: list.map(entryOf) };
}

export function entryOf(text: string): EntryValues {
  return { row: newRow(), text };
}

function ruleOf(rule: Document): RuleValues {
  const { pattern, actions } = rule;
  return {
    row: newRow(),
    pattern: typeof pattern === "string" ? pattern : "",
    actions: Array.isArray(actions) ? actions.filter((action) => typeof action === "string") : [],
  } satisfies Row & { [Name in keyof ChannelRule]: unknown };
}

function limitOf(rule: Document): LimitValues {
  const { name, limit, windowSeconds, per, kind } = rule;
  return {
    row: newRow(),
    name: typeof name === "string" ? name : "",
    limit: typeof limit === "number" ? limit : "",
    windowSeconds: typeof windowSeconds === "number" ? windowSeconds : "",
    per: typeof per === "string" ? per : "connection",
    kind: typeof kind === "string" ? kind : "calls",
  } satisfies Row & { [Name in keyof LimitRule]: unknown };
}

function limitSettings(values: LimitValues): Omit<LimitValues, "row" | "kind"> & { kind?: string } {
  const { kind, ...rest } = withoutRow(values);
  return kind === "calls" ? rest : { ...rest, kind };
}

function withoutRow<T extends Row>({ row: _, ...rest }: T): Omit<T, "row"> {
  return rest;
}

function parsed(text: string): unknown {
  try {
    // As null it would be taken for "none" and not refused.
    return JSON.parse(text) ?? text;
  } catch {
    return text;
  }
}
