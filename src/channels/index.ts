export type {
  Broker,
  BrokerListener,
  MembersPage,
  PageRequest,
  PresenceChange,
  Publication,
  PublishOptions,
} from "./broker/broker.ts";
export {
  type ChannelSettings,
  DEFAULT_HISTORY,
  DEFAULT_PRESENCE,
  type HistoryWindow,
  type PresenceSettings,
} from "./broker/channel-settings.ts";
export type { Idempotency } from "./broker/idempotency-window.ts";
export {
  type BrokerBudgets,
  MemoryBroker,
  type MemoryBrokerOptions,
} from "./broker/memory-broker.ts";
export {
  binaryOf,
  isShallow,
  type PublicationInput,
  parseChannel,
  parsePublication,
} from "./broker/publication.ts";
export { roughSize } from "./broker/rough-size.ts";
export type { Absence } from "./clients/absentees.ts";
export { type Client, withdraw, withdrawWhere } from "./clients/attendance.ts";
export { Clients, type ClientsOptions } from "./clients/clients.ts";
export { ownerOf, SERVER_OWNER } from "./clients/owner.ts";
export { Hub } from "./hub.ts";
export type { FanOut } from "./local/fan-out.ts";
export type { Joined } from "./local/hub-options.ts";
export type { ChannelPage, ChannelView } from "./local/rooms.ts";
export type { Tap } from "./local/taps.ts";
