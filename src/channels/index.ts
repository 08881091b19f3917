export type { Absence } from "./absentees.ts";
export { type Client, withdraw, withdrawWhere } from "./attendance.ts";
export type {
  Broker,
  BrokerListener,
  MembersPage,
  PageRequest,
  PresenceChange,
  Publication,
  PublishOptions,
} from "./broker.ts";
export {
  type ChannelSettings,
  DEFAULT_HISTORY,
  DEFAULT_PRESENCE,
  type HistoryWindow,
  type PresenceSettings,
} from "./channel-settings.ts";
export { Clients, type ClientsOptions } from "./clients.ts";
export type { FanOut } from "./fan-out.ts";
export { Hub } from "./hub.ts";
export type { Joined } from "./hub-options.ts";
export type { Idempotency } from "./idempotency-window.ts";
export {
  type BrokerBudgets,
  MemoryBroker,
  type MemoryBrokerOptions,
} from "./memory-broker.ts";
export { ownerOf, SERVER_OWNER } from "./owner.ts";
export { binaryOf, isShallow, type PublicationInput, parseChannel, parsePublication } from "./publication.ts";
export type { ChannelPage, ChannelView } from "./rooms.ts";
export { roughSize } from "./rough-size.ts";
export type { Tap } from "./taps.ts";
