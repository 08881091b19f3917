// The only door to the server's sources, and for types alone: nothing of them is in the bundle.

import type { Settings as StoredSettings } from "../../src/policy/settings.ts";

export type {
  Channel,
  ChannelsPage,
  Member,
  MembersPage,
  Published,
} from "../../src/admin/schemas/channels.ts";
export type { Connection, ConnectionsPage } from "../../src/admin/schemas/connections.ts";
export type { KeyView } from "../../src/admin/schemas/key-view.ts";
export type { Preview, PreviewExample, Verdict } from "../../src/connection-registry.ts";
export type { Fault, Fault as Warning } from "../../src/policy/fault.ts";
export type { Check } from "../../src/policy/request.ts";
export type { ChannelAction, ChannelRule, EndpointMode, ListMode } from "../../src/policy/settings.ts";

export type LimitRule = {
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly per: "connection" | "address" | "client" | "key";
};
export type Settings = StoredSettings & { readonly limits?: readonly LimitRule[] };
