import { type Static, Type } from "typebox";
import { Instant, Limit, list, nullable } from "./common.ts";

const PerSecond = Type.Integer();

/** One second of the node. */
export const Sample = Type.Object(
  {
    at: Instant,
    connections: Type.Integer(),
    channels: Type.Integer(),
    memberships: Type.Integer(),
    connectsPerSecond: PerSecond,
    closesPerSecond: PerSecond,
    publishedPerSecond: PerSecond,
    deliveredPerSecond: PerSecond,
    deniedPerSecond: PerSecond,
    rssBytes: Type.Integer(),
    loopDelayMs: Type.Integer(),
    overloadStage: Type.Integer({ description: "0 to 3, see the status" }),
    overloadCauses: list(Type.String({ description: "heap, memory, loopDelay or descriptors" })),
  },
  { title: "Sample" },
);
export type Sample = Static<typeof Sample>;

/** `event: snapshot`, the first one. */
export const Snapshot = Type.Object(
  { at: Instant, version: Type.String(), startedAt: Instant, now: Sample, samples: list(Sample) },
  { title: "Snapshot" },
);
export type Snapshot = Static<typeof Snapshot>;

/** `event: key`: a key was made, changed or deleted. */
export const KeyChanged = Type.Object(
  { id: Type.String(), version: nullable(Type.Integer()), deleted: Type.Boolean() },
  { title: "KeyChanged" },
);
export type KeyChanged = Static<typeof KeyChanged>;

/** `event: denial`; the same id again replaces the one before. */
export const RecentDenial = Type.Object(
  {
    id: Type.String(),
    at: Instant,
    firstAt: Instant,
    count: Type.Integer({ description: "alike" }),
    code: Type.String(),
    message: Type.String(),
    keyId: nullable(Type.String()),
    keyName: nullable(Type.String()),
    action: Type.String(),
    origin: nullable(Type.String()),
    address: nullable(Type.String()),
    endpoint: nullable(Type.String({ description: "METHOD /path" })),
    channel: nullable(Type.String()),
  },
  { title: "RecentDenial" },
);
export type RecentDenial = Static<typeof RecentDenial>;

/** A connection, a program over HTTP by its key's id, or null: the server itself. */
const Sender = Type.Union([
  Type.Object({ id: Type.String(), clientId: Type.String() }),
  Type.Object({ id: Type.Null(), clientId: Type.Null(), key: nullable(Type.String()) }),
  Type.Null(),
]);

/** `event: message`, of a tailed channel. */
export const TailedMessage = Type.Object(
  {
    channel: Type.String(),
    eventName: Type.String(),
    id: Type.String(),
    from: Sender,
    timestamp: Type.Integer({ description: "milliseconds since 1970" }),
    epoch: Type.String(),
    offset: Type.Integer(),
    text: Type.String({ description: "the message as JSON, cut at 4,000 characters" }),
    truncated: Type.Boolean(),
  },
  { title: "TailedMessage" },
);
export type TailedMessage = Static<typeof TailedMessage>;

/** `event: dropped`: messages of the last second that were not shown. */
export type Dropped = { readonly count: number };

/** `event: closing`, the last one. */
export type StreamClosing = { readonly code: "session_ended" | "server_shutdown" };

export const LiveQuery = Type.Object({
  channel: Type.Optional(
    Type.String({ maxLength: 400, description: "tail this channel's messages as well" }),
  ),
});

export const DenialsQuery = Type.Object({
  key: Type.Optional(Type.String({ maxLength: 200, description: "a key's id" })),
  limit: Type.Optional(Limit),
});
export const DenialsPage = Type.Object({ items: list(RecentDenial) });
export type DenialsPage = Static<typeof DenialsPage>;
