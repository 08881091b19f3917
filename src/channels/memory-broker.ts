import { nanoid } from "nanoid";
import type { Position } from "../protocol/index.ts";
import type {
  Broker,
  BrokerListener,
  MembersPage,
  PageRequest,
  PresenceChange,
  Publication,
} from "./broker.ts";
import { fingerprintOf, type Idempotency, IdempotencyWindow, idempotencyKey } from "./idempotency-window.ts";
import { MemberList } from "./member-list.ts";

type Stream = { readonly epoch: string; offset: number; subscribed: boolean; idleSinceMs: number };

export type MemoryBrokerOptions = {
  /** How long a channel that nobody listens to keeps its epoch and offset. */
  readonly idleStreamMs?: number;
  /** How many such channels are kept at most; the one idle for longest goes first. */
  readonly maxIdleStreams?: number;
  /** How long a message's id is remembered, and how many are. */
  readonly idempotencyWindowMs?: number;
  readonly maxIds?: number;
  readonly now?: () => number;
};

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
  readonly #ids: IdempotencyWindow;
  readonly #sweep: NodeJS.Timeout;
  #listener: BrokerListener | undefined;

  constructor(options: MemoryBrokerOptions = {}) {
    this.#idleStreamMs = options.idleStreamMs ?? 120_000;
    this.#maxIdleStreams = options.maxIdleStreams ?? 100_000;
    this.#now = options.now ?? Date.now;
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

  async announce(channel: string, change: PresenceChange): Promise<void> {
    const list = this.#members.get(channel) ?? new MemberList();
    if (change.type === "leave") list.delete(change.member.id);
    else list.set(change.member);
    if (list.size === 0) this.#members.delete(channel);
    else this.#members.set(channel, list);
    this.#listener?.onPresence(channel, change, list.size);
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

  #append(channel: string, publication: Publication): Position {
    const stream = this.#stream(channel);
    stream.offset += 1;
    const position = { epoch: stream.epoch, offset: stream.offset };
    if (stream.subscribed) this.#listener?.onPublication(channel, publication, position);
    else this.#keepIdle(channel, stream);
    return position;
  }

  /** The channel's stream, or a new life of it. */
  #stream(channel: string): Stream {
    return (
      this.#live.get(channel) ??
      this.#idle.get(channel) ?? { epoch: nanoid(10), offset: 0, subscribed: false, idleSinceMs: 0 }
    );
  }

  #keepIdle(channel: string, stream: Stream): void {
    stream.idleSinceMs = this.#now();
    this.#idle.delete(channel);
    this.#idle.set(channel, stream);
    if (this.#idle.size > this.#maxIdleStreams) {
      for (const oldest of this.#idle.keys()) {
        this.#idle.delete(oldest);
        break;
      }
    }
  }

  #dropIdle(): void {
    const before = this.#now() - this.#idleStreamMs;
    for (const [channel, stream] of this.#idle) {
      if (stream.idleSinceMs > before) break;
      this.#idle.delete(channel);
    }
  }
}
