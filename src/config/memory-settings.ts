import { Type } from "typebox";
import { defaultBudget } from "./default-budgets.ts";
import { setting } from "./setting.ts";

const Bytes = Type.Integer({ minimum: 64 * 1024, maximum: 1024 ** 4 });
const Count = Type.Integer({ minimum: 1, maximum: 100_000_000 });

/** What the node keeps and holds at most, and what one connection may send: see "What is kept" in docs/configuration.md. */
export const MEMORY_SETTINGS = {
  /** What all histories together may take; whose messages take most give way first, as with clients that are gone. */
  maxHistoryBytes: setting({
    schema: Bytes,
    fallback: () => defaultBudget("maxHistoryBytes"),
    environment: "SLUICE_MAX_HISTORY_BYTES",
    help: "What all retained messages together may take in memory.",
    defaultText: "3/16 of the memory, at most 268435456",
  }),
  /** What clients take that are gone and may come back. */
  maxDisconnectedBytes: setting({
    schema: Bytes,
    fallback: () => defaultBudget("maxDisconnectedBytes"),
    environment: "SLUICE_MAX_DISCONNECTED_BYTES",
    help: "What clients take in memory that are gone and may come back as themselves.",
    defaultText: "1/16 of the memory, at most 268435456",
  }),
  /** Channels with members on this node: beyond it, those above their fair share are refused. */
  maxChannels: setting({
    schema: Count,
    fallback: () => defaultBudget("maxChannels"),
    environment: "SLUICE_MAX_CHANNELS",
    help: "Channels with members on this node; beyond it, keys and addresses above their fair share are refused.",
    defaultText: "what 1/8 of the memory holds, at most 1000000",
  }),
  /** Memberships in all channels of this node: beyond it, those above their fair share are refused. */
  maxMemberships: setting({
    schema: Count,
    fallback: () => defaultBudget("maxMemberships"),
    environment: "SLUICE_MAX_MEMBERSHIPS",
    help: "Memberships in all channels of this node, and what is remembered of those that ended, bounded in the same way.",
    defaultText: "what 1/4 of the memory holds, at most 10000000",
  }),
  /** Channels without members that keep their position. */
  maxIdleChannels: setting({
    schema: Count,
    fallback: () => defaultBudget("maxIdleChannels"),
    environment: "SLUICE_MAX_IDLE_CHANNELS",
    help: "Channels without members that keep their position.",
    defaultText: "what 1/32 of the memory holds, at most 100000",
  }),
  maxMessageIds: setting({
    schema: Count,
    fallback: () => defaultBudget("maxMessageIds"),
    environment: "SLUICE_MAX_MESSAGE_IDS",
    help: "Ids of messages that are remembered, so that a repeat is not sent again.",
    defaultText: "what 1/32 of the memory holds, at most 100000",
  }),
  /** How long a client that has left more than `maxOutboundBytes` unread may read nothing. */
  maxUnreadMs: setting({
    schema: Type.Integer({ minimum: 100, maximum: 600_000 }),
    fallback: 10_000,
    help: "How long a client that has left more than that unread may read nothing.",
    defaultText: "10000 milliseconds for a client above `maxOutboundBytes`",
  }),
  /** What clients have not read of messages, counted once where they share it. */
  maxUnsentBytes: setting({
    schema: Type.Integer({ minimum: 1024 * 1024, maximum: 1024 ** 4 }),
    fallback: () => defaultBudget("maxUnsentBytes"),
    environment: "SLUICE_MAX_UNSENT_BYTES",
    help: "Bytes of messages that clients have not read, counted once where they share them.",
    defaultText: "1/8 of the memory, at most 268435456",
  }),
  /** What one connection may send. */
  maxRequestsPerSecond: setting({
    schema: Type.Integer({ minimum: 1, maximum: 10_000_000 }),
    fallback: 20_000,
    environment: "SLUICE_MAX_REQUESTS_PER_SECOND",
    help: "Requests a second that one connection may send; beyond, it is read more slowly.",
    defaultText: "20000",
  }),
  maxReceivedBytesPerSecond: setting({
    schema: Type.Integer({ minimum: 16 * 1024, maximum: 1024 ** 4 }),
    fallback: 64 * 1024 * 1024,
    environment: "SLUICE_MAX_RECEIVED_BYTES_PER_SECOND",
    help: "Bytes a second that one connection may send; beyond, it is read more slowly.",
    defaultText: "67108864",
  }),
  /** What may wait of the requests of all connections. */
  maxWaitingBytes: setting({
    schema: Type.Integer({ minimum: 16 * 1024 * 1024, maximum: 1024 ** 4 }),
    fallback: () => defaultBudget("maxWaitingBytes"),
    environment: "SLUICE_MAX_WAITING_BYTES",
    help: "What may wait of the requests of all connections, and the same of bodies of HTTP calls; beyond, who holds most is ended or refused.",
    defaultText: "1/8 of the memory, at most 268435456",
  }),
};
