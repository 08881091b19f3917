import { nanoid } from "nanoid";
import type { Position } from "../protocol/index.ts";
import type {
  Broker,
  BrokerListener,
  HistoryPage,
  MembersPage,
  PageRequest,
  PresenceChange,
  Publication,
} from "./broker.ts";
import { type ChannelSettings, historyWindowOf } from "./channel-settings.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type Idempotency, IdempotencyWindow, idempotencyKey } from "./idempotency-window.ts";
import { Arrivals, MemberList } from "./member-list.ts";
import { Stream } from "./stream.ts";

export type MemoryBrokerOptions = {
  /** How long a channel that nobody listens to keeps its epoch and offset. */
  readonly idleStreamMs?: number;
  /** How many such channels are kept at most; the one idle for longest goes first. */
  readonly maxIdleStreams?: number;
  /** How long a message's id is remembered, and how many are. */
  readonly idempotencyWindowMs?: number;
  readonly maxIds?: number;
  readonly channels?: readonly ChannelSettings[];
  /** What all histories together may take; the largest give way first. */
  readonly maxHistoryBytes?: number;
  readonly now?: () => number;
};

/** How many channels are compared when one has to give way: the largest of a sample, at a fixed cost. */
const EVICTION_SAMPLE = 32;

/** One node's broker: everything in this process's memory, lost with it. */
export class MemoryBroker implements Broker {
  readonly #idleStreamMs: number;
  readonly #maxIdleStreams: number;
  readonly #now: () => number;
  /** Streams that this node's hub listens to: as many as the hub has channels. */
  readonly #live = new Map<string, Stream>();
  /** Streams without listeners, longest idle first: bounded in number and time. */
  readonly #idle = new Map<string, Stream>();
  readonly #members = new Map<string, MemberList>();
  readonly #arrivals: Arrivals;
  readonly #ids: IdempotencyWindow;
  readonly #sweep: NodeJS.Timeout;
  readonly #channels: readonly ChannelSettings[];
  readonly #maxHistoryBytes: number;
  #historyBytes = 0;
  #listener: BrokerListener | undefined;

  constructor(options: MemoryBrokerOptions = {}) {
    this.#idleStreamMs = options.idleStreamMs ?? 120_000;
    this.#maxIdleStreams = options.maxIdleStreams ?? 100_000;
    this.#now = options.now ?? Date.now;
    this.#channels = options.channels ?? [];
    this.#arrivals = new Arrivals(this.#now());
    this.#maxHistoryBytes = options.maxHistoryBytes ?? 256 * 1024 * 1024;
    this.#ids = new IdempotencyWindow({
      windowMs: options.idempotencyWindowMs ?? 120_000,
      maxIds: options.maxIds ?? 100_000,
    });
    this.#sweep = setInterval(() => this.#dropIdle(), Math.max(1_000, this.#idleStreamMs / 4));
    this.#sweep.unref();
  }

  listen(listener: BrokerListener): void {
    this.#listener = listener;
  }

  async subscribe(channel: string): Promise<Position> {
    const stream = this.#stream(channel);
    stream.subscribed = true;
    this.#idle.delete(channel);
    this.#live.set(channel, stream);
    return { epoch: stream.epoch, offset: stream.offset };
  }

  async unsubscribe(channel: string): Promise<void> {
    const stream = this.#live.get(channel);
    if (stream === undefined) return;
    this.#live.delete(channel);
    stream.subscribed = false;
    this.#keepIdle(channel, stream);
  }

  async publish(
    channel: string,
    publication: Publication,
    idempotency?: Idempotency,
  ): Promise<Position | "conflict"> {
    if (idempotency === undefined) return this.#append(channel, publication);
    const { eventName, message, id } = publication;
    const key = idempotencyKey(channel, idempotency, id);
    const fingerprint = fingerprintOf(eventName, message);
    const known = this.#ids.find(key, fingerprint, this.#now());
    if (known !== undefined) return known;
    const position = this.#append(channel, publication);
    this.#ids.remember(key, fingerprint, position, this.#now());
    return position;
  }

  async broadcast(publication: Publication): Promise<void> {
    this.#listener?.onBroadcast(publication);
  }

  async announce(channel: string, changes: readonly PresenceChange[]): Promise<void> {
    const list = this.#members.get(channel) ?? new MemberList(this.#arrivals);
    for (const { type, member, bytes } of changes) {
      if (type === "leave") list.delete(member.id);
      else if (type === "join" || list.has(member.id)) list.set(member, bytes);
    }
    if (list.size === 0) this.#members.delete(channel);
    else this.#members.set(channel, list);
    this.#listener?.onPresence(channel, changes, list.size);
  }

  async members(channel: string, page: PageRequest): Promise<MembersPage> {
    return this.#members.get(channel)?.page(page) ?? { members: [], count: 0, next: null };
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#listener = undefined;
    this.#live.clear();
    this.#idle.clear();
    this.#members.clear();
    this.#ids.clear();
  }

  async history(channel: string, after: number, limit: number): Promise<HistoryPage> {
    const stream = this.#stream(channel);
    const { epoch, offset } = stream;
    const before = stream.bytes;
    const messages = stream.read(after, limit, this.#now());
    this.#historyBytes += stream.bytes - before;
    return { epoch, offset, firstOffset: stream.firstOffset, messages };
  }

  #append(channel: string, publication: Publication): Position {
    const stream = this.#stream(channel);
    const before = stream.bytes;
    const position = stream.append(publication, this.#now());
    this.#historyBytes += stream.bytes - before;
    if (this.#historyBytes > this.#maxHistoryBytes) this.#makeRoom(stream);
    if (stream.subscribed) this.#listener?.onPublication(channel, publication, position);
    else this.#keepIdle(channel, stream);
    return position;
  }

  /** The largest of those at hand gives way, so that one loud channel does not cost the quiet ones their history. */
  #makeRoom(newest: Stream): void {
    while (this.#historyBytes > this.#maxHistoryBytes) {
      let largest = newest;
      let seen = 0;
      for (const streams of [this.#idle, this.#live]) {
        for (const stream of streams.values()) {
          seen += 1;
          if (stream.bytes > largest.bytes) largest = stream;
          if (seen % EVICTION_SAMPLE === 0) break;
        }
      }
      const freed = largest.dropOldest();
      this.#historyBytes -= freed;
      if (freed === 0) return;
    }
  }

  /** The channel's stream, or a new life of it. */
  #stream(channel: string): Stream {
    return (
      this.#live.get(channel) ??
      this.#idle.get(channel) ??
      new Stream(nanoid(10), historyWindowOf(this.#channels, channel))
    );
  }

  #keepIdle(channel: string, stream: Stream): void {
    stream.idleSinceMs = this.#now();
    this.#idle.delete(channel);
    this.#idle.set(channel, stream);
    if (this.#idle.size > this.#maxIdleStreams) {
      for (const oldest of this.#idle.keys()) {
        this.#forget(oldest);
        break;
      }
    }
  }

  #dropIdle(): void {
    const before = this.#now() - this.#idleStreamMs;
    for (const [channel, stream] of this.#idle) {
      if (stream.idleSinceMs > before) break;
      this.#trim(stream);
      if (stream.retainedCount === 0) this.#forget(channel);
    }
    // Histories end with time also where nobody publishes any more.
    for (const stream of this.#live.values()) this.#trim(stream);
    for (const stream of this.#idle.values()) this.#trim(stream);
  }

  #trim(stream: Stream): void {
    const before = stream.bytes;
    stream.trim(this.#now());
    this.#historyBytes += stream.bytes - before;
  }

  #forget(channel: string): void {
    const stream = this.#idle.get(channel);
    if (stream === undefined) return;
    this.#idle.delete(channel);
    this.#historyBytes -= stream.bytes;
  }
}
