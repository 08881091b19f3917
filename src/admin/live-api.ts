import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { type Hub, parseChannel } from "../channels/index.ts";
import type { KeyStore } from "../keys/index.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import type { RecentDenials } from "../observe/recent-denials.ts";
import type { Sample, TrafficSamples } from "../observe/traffic-samples.ts";
import { refuse } from "../protocol/index.ts";
import type { AdminAccess } from "./admin-access.ts";
import { ChannelTail } from "./channel-tail.ts";
import { EventStream, frameOf } from "./event-stream.ts";
import { PAGE_DEFAULT, REFUSALS } from "./schemas/common.ts";
import { DenialsPage, DenialsQuery, type KeyChanged, LiveQuery, type Snapshot } from "./schemas/live.ts";
import type { AdminScope } from "./scope.ts";

export type LiveApiOptions = {
  readonly hub: Hub;
  readonly keys: KeyStore;
  readonly samples: TrafficSamples;
  readonly denials: RecentDenials;
  readonly access: AdminAccess;
  readonly log: Logger;
  readonly version: string;
  readonly startedAt: string;
};

const tags = ["Live"];
const EVENT_STREAM = {
  description:
    "snapshot, then sample each second, key and keys, denial, and with a channel message and dropped; closing at the end",
  content: { "text/event-stream": { schema: Type.String() } },
};
const MAX_STREAMS = 64;
/** Changed keys that are told one by one in a second; of more it is said that there were many. */
const MAX_KEYS_PER_SECOND = 50;

type Reader = {
  readonly stream: EventStream;
  readonly request: FastifyRequest;
  readonly tail: ChannelTail | undefined;
};

/** `/live`: what happens on this node as server-sent events, and `/denials`: what was refused lately. */
export function registerLiveApi(scope: AdminScope, options: LiveApiOptions): void {
  const live = new Live(options);
  scope.addHook("preClose", async () => live.close());

  scope.get(
    "/denials",
    {
      schema: {
        tags,
        summary: "Refusals since the start, alike ones counted, newest first",
        querystring: DenialsQuery,
        response: { 200: DenialsPage, ...REFUSALS },
      },
    },
    async (request) => {
      const { key, limit = PAGE_DEFAULT } = request.query;
      return { items: options.denials.list({ keyId: key, limit }) };
    },
  );

  scope.get(
    "/live",
    {
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: "What happens on this node, as server-sent events",
        querystring: LiveQuery,
        response: { 200: EVENT_STREAM, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { channel } = request.query;
      const parsed = channel === undefined ? undefined : parseChannel(channel);
      if (parsed !== undefined && "allowed" in parsed) return reply.refuse(parsed);
      return live.open(request, reply, parsed?.channel);
    },
  );
}

/** The open streams. Owns them from their opening until their reader goes, their session ends or the server closes. */
class Live {
  readonly #options: LiveApiOptions;
  readonly #readers = new Set<Reader>();
  /** Streams that are being opened count, too. */
  #opening = 0;
  #isClosed = false;
  #keysInSecond = 0;
  readonly #ends: (() => void)[];

  constructor(options: LiveApiOptions) {
    this.#options = options;
    this.#ends = [
      options.samples.onSample((sample) => this.#tick(sample)),
      options.keys.subscribe(({ id, record }) =>
        this.#tellKey({ id, version: record?.version ?? null, deleted: record === undefined }),
      ),
    ];
  }

  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    channel: string | undefined,
  ): Promise<FastifyReply> {
    const { hub, log } = this.#options;
    if (this.#readers.size + this.#opening >= MAX_STREAMS)
      return reply.refuse(refuse("too_many_connections", "too many live streams are open", 10_000));
    this.#opening += 1;
    try {
      const tail = channel === undefined ? undefined : await ChannelTail.open(hub, channel);
      if (this.#isClosed || reply.raw.destroyed) {
        tail?.close();
        return reply.refuse(refuse("server_shutdown"));
      }
      this.#begin({ stream: new EventStream(reply), request, tail });
      return reply;
    } catch (error) {
      log.error({ fault: faultOf(error) }, "the broker did not answer");
      return reply.refuse(refuse("unavailable"));
    } finally {
      this.#opening -= 1;
    }
  }

  /** End every stream. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
    for (const reader of this.#readers) this.#end(reader, "server_shutdown");
  }

  #begin(reader: Reader): void {
    const { stream, tail } = reader;
    this.#readers.add(reader);
    stream.onClose(() => this.#forget(reader));
    stream.send("snapshot", this.#snapshot());
    tail?.attach(stream);
  }

  #snapshot(): Snapshot {
    const { samples, version, startedAt } = this.#options;
    const now = samples.now();
    return { at: now.at, version, startedAt, now, samples: samples.all };
  }

  #end(reader: Reader, code: string): void {
    reader.stream.end(code);
    this.#forget(reader);
  }

  #forget(reader: Reader): void {
    this.#readers.delete(reader);
    reader.tail?.close();
  }

  #tick(sample: Sample): void {
    const changed = this.#options.denials.takeChanged();
    if (this.#readers.size === 0) return;
    const frames = [frameOf("sample", sample), ...changed.map((denial) => frameOf("denial", denial))];
    if (this.#keysInSecond > MAX_KEYS_PER_SECOND) frames.push(frameOf("keys", {}));
    this.#keysInSecond = 0;
    const frame = frames.join("");
    for (const { stream, tail } of this.#readers) {
      stream.write(frame);
      tail?.tick();
    }
    void this.#endStale();
  }

  #tellKey(change: KeyChanged): void {
    if (this.#readers.size === 0) return;
    this.#keysInSecond += 1;
    if (this.#keysInSecond > MAX_KEYS_PER_SECOND) return;
    const frame = frameOf("key", change);
    for (const { stream } of this.#readers) stream.write(frame);
  }

  /** What let a reader in may have ended: a session, or the token. */
  async #endStale(): Promise<void> {
    try {
      const fingerprint = await this.#options.access.fingerprint();
      for (const reader of this.#readers) {
        if (!this.#options.access.isStillIn(reader.request, fingerprint)) this.#end(reader, "session_ended");
      }
    } catch (error) {
      // A store that is away cannot say that anything has ended; the next second asks again.
      this.#options.log.warn({ fault: faultOf(error) }, "the admin token could not be read");
    }
  }
}
