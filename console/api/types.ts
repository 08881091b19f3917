// The only door to the server's sources, and for types alone: nothing of them is in the bundle.

export type { Session } from "../../src/admin/schemas/access.ts";
export type {
  Channel,
  ChannelsPage,
  Member,
  MembersPage,
  Published,
} from "../../src/admin/schemas/channels.ts";
export type { Connection, ConnectionsPage } from "../../src/admin/schemas/connections.ts";
export type { KeyView } from "../../src/admin/schemas/key-view.ts";
export type {
  RecentDenial as Denial,
  Sample,
  Snapshot,
  TailedMessage as ChannelMessage,
} from "../../src/admin/schemas/live.ts";
export type {
  Endpoint as EndpointView,
  Endpoints,
  Overload,
  SettingInEffect,
  SettingsInEffect,
  Status,
} from "../../src/admin/schemas/status.ts";
export type { Preview, PreviewExample } from "../../src/gate/index.ts";
export type { Fault, Fault as Warning } from "../../src/policy/fault.ts";
export type { Check } from "../../src/policy/request.ts";
export type {
  BroadcastTo,
  ChannelAction,
  ChannelRule,
  EndpointMode,
  Limit as LimitRule,
  ListMode,
  Settings,
} from "../../src/policy/settings.ts";
