import type {
  BroadcastMessage,
  ChannelMessage,
  Member,
  PresenceCount,
  PresenceEvent,
  Sender,
} from "../src/protocol/index.ts";
import { isRecord } from "./record.ts";

/** A listener of an event name gets this: a channel's message, or a broadcast (`channel` is null). */
export type IncomingMessage<Body = unknown> =
  | WithBody<ChannelMessage, Body>
  | WithBody<BroadcastMessage, Body>;

type WithBody<Message, Body> = Omit<Message, "message"> & { readonly message: Body };

/** Most programs send an object. Say what yours sends with `on<string>("say", …)` or `on<{ text: string }>(…)`; nothing checks it. */
export type MessageObject = { readonly [name: string]: unknown };

/** Undefined when it is not a message: another kind of server event, or not what this version understands. */
export function parseMessage(payload: unknown): IncomingMessage | undefined {
  if (!isRecord(payload)) return undefined;
  const { channel, message, id, timestamp, epoch, offset } = payload;
  const common = {
    message,
    id: typeof id === "string" ? id : "",
    from: parseSender(payload["from"]),
    timestamp: typeof timestamp === "number" ? timestamp : Date.now(),
  };
  if (typeof channel !== "string") return channel === null ? { channel, ...common } : undefined;
  return {
    channel,
    ...common,
    epoch: typeof epoch === "string" ? epoch : "",
    offset: typeof offset === "number" ? offset : 0,
  };
}

export function parsePresence(payload: unknown): PresenceEvent | undefined {
  if (!isRecord(payload) || typeof payload["channel"] !== "string") return undefined;
  const message = parseMember(payload["message"]);
  return message && { channel: payload["channel"], message };
}

/** A mode that this version does not know promises nothing: the list is not kept by events. */
export function parseCount(payload: unknown): PresenceCount | undefined {
  if (!isRecord(payload)) return undefined;
  const { channel, count, mode } = payload;
  if (typeof channel !== "string" || typeof count !== "number") return undefined;
  return { channel, count, mode: mode === "events" ? "events" : "counts" };
}

export function parseMember(value: unknown): Member | undefined {
  if (!isRecord(value)) return undefined;
  const { id, clientId, data } = value;
  return typeof id === "string"
    ? { id, clientId: typeof clientId === "string" ? clientId : "", data }
    : undefined;
}

/** What names nobody that this version understands is not taken for the server, whose word may count for more. */
function parseSender(value: unknown): Sender {
  if (value === null) return null;
  if (!isRecord(value)) return UNKNOWN_SENDER;
  const { id, clientId, key } = value;
  if (typeof id === "string") return { id, clientId: typeof clientId === "string" ? clientId : "" };
  return typeof key === "string" ? { id: null, clientId: null, key } : UNKNOWN_SENDER;
}

const UNKNOWN_SENDER: Sender = Object.freeze({ id: null, clientId: null, key: null });
