import type { KeyRecord } from "../keys/index.ts";
import { KeyStateReader } from "./key-state.ts";
import type { KeySizes } from "./schemas/key-view.ts";

/** What a list shows of a key: its settings without the long lists, and how long these are. Small, however large the key is. */
export type KeySummary = Pick<KeyRecord, "id" | "version" | "createdAt" | "updatedAt"> & {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly sizes: KeySizes;
  readonly secrets: readonly { readonly hint: string; readonly validUntil: string | null }[];
  readonly state: KeyStateReader;
};

/** Settings of a bounded size, as they are. */
const SMALL = ["name", "enabled", "allowRealtime", "expiresAt", "broadcastTo", "limits", "metadata"];
const LISTS = ["endpoints", "domains", "ips"];

export function summaryOf(record: KeyRecord): KeySummary {
  const { id, version, settings, createdAt, updatedAt } = record;
  const secrets = record.secrets.map(({ hint, validUntil }) => ({ hint, validUntil }));
  const channels = settings["channels"];
  const sizes = {
    endpoints: sizeOf(settings["endpoints"]),
    domains: sizeOf(settings["domains"]),
    ips: sizeOf(settings["ips"]),
    channels: Array.isArray(channels) ? channels.length : null,
  };
  const state = KeyStateReader.of(record);
  return { id, version, createdAt, updatedAt, settings: withoutLists(settings), sizes, secrets, state };
}

function withoutLists(settings: KeyRecord["settings"]): Readonly<Record<string, unknown>> {
  const kept = SMALL.filter((name) => settings[name] !== undefined).map((name) => [name, settings[name]]);
  const modes = LISTS.filter((name) => settings[name] !== undefined).map((name) => [
    name,
    { mode: partOf(settings[name], "mode") ?? null },
  ]);
  return Object.fromEntries([...kept, ...modes]);
}

function sizeOf(value: unknown): number {
  const list = partOf(value, "list");
  return Array.isArray(list) ? list.length : 0;
}

function partOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
