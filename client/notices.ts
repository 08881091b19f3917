import { parseError } from "./answers.ts";
import { isRecord } from "./record.ts";
import type { SluiceError } from "./result.ts";

/** A fault outside a call's own answer. `retrying`: the client tries again by itself. */
export type RealtimeError = SluiceError & {
  readonly channel: string | null;
  readonly retrying: boolean;
};

/** Why the connection went, and whether the client comes back by itself. */
export type Disconnect = SluiceError & { readonly willReconnect: boolean };

/** The server ended this client's membership. It is not joined again by itself. */
export type ClosedChannel = { readonly channel: string; readonly code: string; readonly message: string };

/** Messages between `after` and `before` that this client will not get. */
export type Gap = {
  readonly channel: string;
  readonly epoch: string;
  readonly after: number;
  readonly before: number;
  readonly reason: string;
};

export function parseChannelClosed(payload: unknown): ClosedChannel | undefined {
  const error = parseError(payload);
  if (!error || !isRecord(payload) || typeof payload["channel"] !== "string") return undefined;
  return { channel: payload["channel"], code: error.code, message: error.message };
}

export function parseChannelError(payload: unknown): RealtimeError | undefined {
  const error = parseError(payload);
  if (!error || !isRecord(payload)) return undefined;
  const channel = typeof payload["channel"] === "string" ? payload["channel"] : null;
  return { ...error, channel, retrying: false };
}

export function parseGap(payload: unknown): Gap | undefined {
  if (!isRecord(payload)) return undefined;
  const { channel, epoch, after, before, reason } = payload;
  if (typeof channel !== "string" || typeof epoch !== "string") return undefined;
  if (typeof after !== "number" || typeof before !== "number") return undefined;
  return { channel, epoch, after, before, reason: typeof reason === "string" ? reason : "" };
}
