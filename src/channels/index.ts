export type {
  Broker,
  BrokerListener,
  MembersPage,
  PageRequest,
  PresenceChange,
  Publication,
} from "./broker.ts";
export type { FanOut } from "./fan-out.ts";
export { Hub } from "./hub.ts";
export type { Idempotency } from "./idempotency-window.ts";
export { MemoryBroker } from "./memory-broker.ts";
export { isShallow, type PublicationInput, parseChannel, parsePublication } from "./publication.ts";
