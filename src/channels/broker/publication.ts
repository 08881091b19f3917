import { randomToken } from "../../lib/random-token.ts";
import {
  eventNameFault,
  isChannelName,
  LIMITS,
  type Refusal,
  refuse,
  type Sender,
} from "../../protocol/index.ts";
import type { Publication } from "./broker.ts";
import { withOwnBinary } from "./own-binary.ts";

/** Deeper values overflow the stack of the encoder, which would be a fault of ours. */
const MAX_MESSAGE_DEPTH = 100;

/** 128 bits. */
const MESSAGE_ID_BYTES = 16;

export type PublicationInput = {
  readonly channel?: unknown;
  readonly eventName?: unknown;
  readonly message?: unknown;
  readonly id?: unknown;
};

export type PublicationContext = {
  readonly from: Sender;
  readonly exceptId?: string | undefined;
  readonly now: number;
};

/** Read a channel name from unknown input. */
export function parseChannel(value: unknown): { readonly channel: string } | Refusal {
  if (isChannelName(value)) return { channel: value };
  return refuse(
    "invalid_channel",
    `a channel name has 1 to ${LIMITS.channelNameMaxChars} characters, no control characters, no surrounding white space, no "*", and does not begin with "$"`,
  );
}

/** Read what somebody wants to send. An absent message is sent as null; an absent id is made. */
export function parsePublication(
  input: PublicationInput,
  context: PublicationContext,
): { readonly publication: Publication } | Refusal {
  const { eventName, id } = input;
  const fault = eventNameFault(eventName);
  if (fault !== undefined) return refuse(fault);
  if (typeof eventName !== "string") return refuse("invalid_event_name");
  if (id !== undefined && !isMessageId(id)) {
    return refuse("invalid_payload", `id is a string of 1 to ${LIMITS.messageIdMaxChars} characters`);
  }
  const message = input.message ?? null;
  if (!isShallow(message, MAX_MESSAGE_DEPTH)) {
    return refuse("invalid_payload", `message is nested more than ${MAX_MESSAGE_DEPTH} levels deep`);
  }
  const { count, bytes } = binaryOf(message);
  if (count > LIMITS.attachmentsPerPacket) {
    return refuse("invalid_payload", `message has at most ${LIMITS.attachmentsPerPacket} binary values`);
  }
  if (count > 1 && hasTwice(message, new Set())) {
    return refuse(
      "invalid_payload",
      'a binary value is named twice: an object with "_placeholder" cannot be sent beside binary values',
    );
  }
  if (bytes > LIMITS.maxPayloadBytes) {
    return refuse("payload_too_large", `binary values have at most ${LIMITS.maxPayloadBytes} bytes together`);
  }
  const { from, now, exceptId } = context;
  const publication: Publication = {
    eventName,
    message: count === 0 ? message : withOwnBinary(message),
    id: id ?? randomToken(MESSAGE_ID_BYTES),
    from,
    timestamp: now,
    ...(exceptId === undefined ? {} : { exceptId }),
    ...(count === 0 ? {} : { binaryCount: count }),
  };
  return { publication };
}

function isMessageId(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= LIMITS.messageIdMaxChars &&
    value.isWellFormed()
  );
}

/** Whether a decoded value is at most `levels` deep. */
export function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) if (!isShallow(value[i], levels - 1)) return false;
    return true;
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return true;
  for (const key in value) {
    if (!isShallow(Reflect.get(value, key), levels - 1)) return false;
  }
  return true;
}

/**
 * How many binary values a shallow value has, and their bytes together, as they are sent on. A client can name one
 * attachment in thousands of places: each of them is a copy to whoever hears it.
 */
export function binaryOf(value: unknown): { readonly count: number; readonly bytes: number } {
  if (typeof value !== "object" || value === null) return NO_BINARY;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return { count: 1, bytes: value.byteLength };
  let [count, bytes] = [0, 0];
  const add = (item: unknown): void => {
    // Most values are none: nothing is made for them.
    if (typeof item !== "object" || item === null) return;
    const inner = binaryOf(item);
    count += inner.count;
    bytes += inner.bytes;
  };
  // By index: `for … in` makes a text of each.
  if (Array.isArray(value)) for (let i = 0; i < value.length; i += 1) add(value[i]);
  else for (const key in value) add(Reflect.get(value, key));
  return count === 0 ? NO_BINARY : { count, bytes };
}

/**
 * Whether one binary value is in two places. Encoders number each place anew, so that the second one is an object of the sender's own
 * that looks like their mark, and what it said is lost.
 */
function hasTwice(value: unknown, seen: Set<unknown>): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer))
    return Object.values(value).some((inner) => hasTwice(inner, seen));
  if (seen.has(value)) return true;
  seen.add(value);
  return false;
}

const NO_BINARY = { count: 0, bytes: 0 };
