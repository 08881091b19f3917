import type { ErrorCode } from "./error-table.ts";

/** A message's place in its channel: the channel's life, and the number within it (from 1; 0 = before the first). */
export type Position = { readonly epoch: string; readonly offset: number };

/** A member as others see it. `data` is what the member says about itself: self-asserted. */
export type Member = { readonly id: string; readonly clientId: string; readonly data: unknown };

/** A program that published over HTTP: the id of its key, or null where the server requires no key and none was sent. */
export type HttpSender = { readonly id: null; readonly clientId: null; readonly key: string | null };
/** Who sent a message: a connection and its client, a program over HTTP, or `null`: the server itself. */
export type Sender = { readonly id: string; readonly clientId: string } | HttpSender | null;

/** Whom a broadcast reaches: everyone connected, or the connections of one key (null: those without a key). */
export type BroadcastAudience = "everyone" | { readonly keyId: string | null };

/** What a client gets under the sender's event name. A broadcast has `channel: null` and no position. */
export type ChannelMessage = {
  readonly channel: string;
  readonly message: unknown;
  readonly id: string;
  readonly from: Sender;
  readonly timestamp: number;
  readonly epoch: string;
  readonly offset: number;
};
export type BroadcastMessage = {
  readonly channel: null;
  readonly message: unknown;
  readonly id: string;
  readonly from: Sender;
  readonly timestamp: number;
};

export type WireError = { readonly code: ErrorCode; readonly message: string; readonly afterMs?: number };
export type RefusalAck = { readonly ok: false; readonly error: WireError };
export type JoinAck = {
  readonly ok: true;
  readonly channel: string;
  readonly epoch: string;
  readonly offset: number;
  readonly recovered: boolean;
};
export type MessageAck = {
  readonly ok: true;
  readonly id: string;
  readonly epoch?: string;
  readonly offset?: number;
};
export type MembersAck = {
  readonly ok: true;
  readonly members: readonly Member[];
  readonly count: number;
  readonly next: string | null;
};
export type OkAck = { readonly ok: true };

/** First event after CONNECT. `resume`, a secret, is another each time; null where the server offers no recovery. */
export type ConnectionReady = {
  readonly id: string;
  readonly clientId: string;
  readonly resume: string | null;
  readonly timestamp: number;
};
/** Last event before the end. `retry: false`: stay away; `retry: true`: come back, after `afterMs` if given. */
export type ConnectionClosing = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retry: boolean;
  readonly afterMs?: number;
};
export type ChannelClosed = { readonly channel: string; readonly code: ErrorCode; readonly message: string };
export type ChannelError = {
  readonly event: string;
  readonly channel: string | null;
  readonly code: ErrorCode;
  readonly message: string;
  readonly afterMs?: number;
};
/** Messages after `after` and before `before` that this client will not get. */
export type ChannelGap = {
  readonly channel: string;
  readonly epoch: string;
  readonly after: number;
  readonly before: number;
  readonly reason: "trimmed" | "not_a_member" | "epoch_lost";
};
export type HistoryMessage = ChannelMessage & { readonly eventName: string };
/** `complete`: nothing between `after` and `offset` is missing from `messages`. */
export type History = {
  readonly messages: readonly HistoryMessage[];
  readonly epoch: string;
  readonly offset: number;
  readonly complete: boolean;
};
export type HistoryAck = History & { readonly ok: true };
export type PresenceEvent = { readonly channel: string; readonly message: Member };
/**
 * How many members a channel has. `counts`: it is too large to tell of each; `events`: from now on each is told of
 * again, and whoever keeps a list of them reads it anew.
 */
export type PresenceCount = {
  readonly channel: string;
  readonly count: number;
  readonly mode: "counts" | "events";
};

/** The path of Socket.IO on the public listener. */
export const REALTIME_PATH = "/realtime/";
