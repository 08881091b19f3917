import { extname } from "node:path";
import { type Static, Type } from "typebox";
import { Child } from "./child.ts";

const PROCESS = new URL(`crowd-process${extname(import.meta.url)}`, import.meta.url).href;

export const Open = Type.Object({
  group: Type.String(),
  count: Type.Number(),
  port: Type.Number(),
  apiKey: Type.String(),
  channels: Type.Array(Type.String()),
  localAddresses: Type.Array(Type.String()),
  /** How many of them poll; the others have WebSockets. */
  polling: Type.Optional(Type.Number()),
});
export const Flow = Type.Object({ group: Type.String(), everyMs: Type.Number() });
export const Await = Type.Object({ group: Type.String(), count: Type.Number(), timeoutMs: Type.Number() });
export const Report = Type.Object({ group: Type.String(), fromMs: Type.Number(), untilMs: Type.Number() });

const Instant = Type.Union([Type.Number(), Type.Null()]);
const Seen = Type.Object({
  /** Connections that are open now. */
  open: Type.Number(),
  /** `connection:closing` by code. */
  told: Type.Record(Type.String(), Type.Number()),
  firstToldMs: Instant,
  lastToldMs: Instant,
  gone: Type.Number(),
  lastGoneMs: Instant,
  markers: Type.Number(),
  joins: Type.Number(),
  leaves: Type.Number(),
  /** `channel:presence`, and what the last of them said. */
  counts: Type.Number(),
  lastCount: Type.Union([Type.Number(), Type.Null()]),
  other: Type.Number(),
  /** When the latest message of all that anyone in the group received was sent. */
  latestSentMs: Instant,
  /** Of the messages that the group's own process sent, in milliseconds. */
  latency: Type.Object({
    count: Type.Number(),
    p50: Type.Number(),
    p99: Type.Number(),
    max: Type.Number(),
  }),
});

/** What a group of connections has seen. Instants are milliseconds on the machine's monotonic clock. */
export type Summary = Static<typeof Seen>;

/** Many connections in a process of their own, in named groups. */
export class Crowd {
  readonly child = new Child(PROCESS);

  /** Connections of one key, each a member of one of `channels`; resolves when all have joined. */
  open(options: Static<typeof Open>): Promise<number> {
    return this.child.call(Type.Number(), "open", options);
  }

  /** Let the group's connections publish in their channels, one every `everyMs`. */
  flow(group: string, everyMs: number): Promise<unknown> {
    return this.child.call(Type.Optional(Type.Unknown()), "flow", { group, everyMs });
  }

  stopFlow(): Promise<unknown> {
    return this.child.call(Type.Optional(Type.Unknown()), "stopFlow");
  }

  /** Wait until `count` of the group are gone, but not longer than this. */
  gone(group: string, count: number, timeoutMs: number): Promise<number> {
    return this.child.call(Type.Number(), "gone", { group, count, timeoutMs });
  }

  report(group: string, fromMs = 0, untilMs = Number.MAX_SAFE_INTEGER): Promise<Summary> {
    return this.child.call(Seen, "report", { group, fromMs, untilMs });
  }

  reset(group: string): Promise<unknown> {
    return this.child.call(Type.Optional(Type.Unknown()), "reset", { group, fromMs: 0, untilMs: 0 });
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}
