import { nanoid } from "nanoid";
import { FairQueue } from "../../lib/fair-queue.ts";
import { SlicedTask } from "../../lib/sliced-task.ts";
import type { BroadcastAudience, Position } from "../../protocol/index.ts";
import type {
  Broker,
  BrokerListener,
  HistoryPage,
  MembersPage,
  PageRequest,
  PresenceChange,
  Publication,
  PublishOptions,
} from "./broker.ts";
import { type ChannelSettings, historyWindowOf } from "./channel-settings.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { IdempotencyWindow, idempotencyKey } from "./idempotency-window.ts";
import { IdleStreams } from "./idle-streams.ts";
import { Arrivals, MemberList } from "./member-list.ts";
import { type Retained, Stream } from "./stream.ts";

/** How long what has expired may still be held. */
const SWEEP_MS = 5_000;

/** The budgets of a broker, shared by all owners. */
export type BrokerBudgets = {
  /** What all histories together may take in memory. */
  readonly maxHistoryBytes: number;
  /** Channels that nobody listens to and that keep their epoch and offset. */
  readonly maxIdleChannels: number;
  /** Message ids that are remembered. */
  readonly maxMessageIds: number;
};

export type MemoryBrokerOptions = Partial<BrokerBudgets> & {
  /** How long a channel that nobody listens to keeps its epoch and offset. */
  readonly idleStreamMs?: number;
  /** How long a message's id is remembered. */
  readonly idempotencyWindowMs?: number;
  readonly channels?: readonly ChannelSettings[];
  readonly now?: () => number;
};

/** What a server with a large heap has; a server's configuration has its own for the memory that it has. */
const DEFAULT_BUDGETS: BrokerBudgets = {
  maxHistoryBytes: 256 * 1024 * 1024,
  maxIdleChannels: 100_000,
  maxMessageIds: 100_000,
};

/** How many messages give way before the publish that makes it necessary returns; the others follow in slices. */
const MAX_EVICTED_AT_ONCE = 256;

/** One node's broker: everything in this process's memory, lost with it. */
export class MemoryBroker implements Broker {
  readonly #idleStreamMs: number;
  readonly #now: () => number;
  /** Streams that this node's hub listens to: as many as the hub has channels. */
  readonly #live = new Map<string, Stream>();
  readonly #idle: IdleStreams;
  /** Idle ones that had to give way: nobody finds them, and what they retain is dropped in slices. */
  readonly #ended: Stream[] = [];
  /** What all streams retain. */
  readonly #history: FairQueue<Retained>;
  readonly #members = new Map<string, MemberList>();
  readonly #arrivals: Arrivals;
  readonly #ids: IdempotencyWindow;
  readonly #channels: readonly ChannelSettings[];
  readonly #settling = new SlicedTask(() => this.#settleSteps());
  readonly #sweeping = new SlicedTask(() => this.#sweepSteps());
  readonly #sweepTimer: NodeJS.Timeout;
  #listener: BrokerListener | undefined;

  constructor(options: MemoryBrokerOptions = {}) {
    const budgets = { ...DEFAULT_BUDGETS, ...options };
    this.#idleStreamMs = options.idleStreamMs ?? 120_000;
    this.#now = options.now ?? Date.now;
    this.#channels = options.channels ?? [];
    this.#arrivals = new Arrivals(this.#now());
    this.#history = new FairQueue(budgets.maxHistoryBytes);
    this.#idle = new IdleStreams(budgets.maxIdleChannels);
    this.#ids = new IdempotencyWindow({
      windowMs: options.idempotencyWindowMs ?? 120_000,
      maxIds: budgets.maxMessageIds,
    });
    const sweepMs = Math.min(SWEEP_MS, Math.max(1_000, this.#idleStreamMs / 4));
    this.#sweepTimer = setInterval(() => this.#sweeping.start(), sweepMs);
    this.#sweepTimer.unref();
  }

  /** What all histories take, as they are counted. */
  get historyBytes(): number {
    return this.#history.total;
  }

  /** Channels without members whose position is kept. */
  get idleChannelCount(): number {
    return this.#idle.size;
  }

  get messageIdCount(): number {
    return this.#ids.size;
  }

  listen(listener: BrokerListener): void {
    this.#listener = listener;
  }

  async subscribe(channel: string, owner: string): Promise<Position> {
    const stream = this.#stream(channel, owner);
    stream.touch(owner);
    stream.subscribed = true;
    this.#idle.take(stream);
    this.#live.set(channel, stream);
    return { epoch: stream.epoch, offset: stream.offset };
  }

  async unsubscribe(channel: string, others: readonly string[] = []): Promise<void> {
    const stream = this.#live.get(channel);
    if (stream === undefined) return;
    this.#live.delete(channel);
    stream.subscribed = false;
    for (const other of others) stream.touch(other);
    this.#keepIdle(stream);
  }

  async publish(
    channel: string,
    publication: Publication,
    { owner, idempotency }: PublishOptions,
  ): Promise<Position | "conflict"> {
    if (idempotency === undefined) return this.#append(channel, publication, owner);
    const { eventName, message, id } = publication;
    const key = idempotencyKey(channel, idempotency, id);
    const fingerprint = fingerprintOf(eventName, message);
    const known = this.#ids.find(key, fingerprint, this.#now());
    if (known !== undefined) return known;
    const position = this.#append(channel, publication, owner);
    this.#ids.remember(owner, key, fingerprint, position, this.#now());
    return position;
  }

  async broadcast(publication: Publication, audience: BroadcastAudience): Promise<void> {
    this.#listener?.onBroadcast(publication, audience);
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

  /** Lets go of what is over, in slices, as a timer does now and then. */
  async sweep(): Promise<void> {
    this.#sweeping.start();
    await this.#sweeping.whenDone();
  }

  async history(channel: string, after: number, limit: number, owner: string): Promise<HistoryPage> {
    const stream = this.#stream(channel, owner);
    stream.touch(owner);
    const isNew = !stream.subscribed && stream.queue === undefined;
    if (isNew) this.#keepIdle(stream);
    return stream.read(after, limit, this.#now());
  }

  async close(): Promise<void> {
    clearInterval(this.#sweepTimer);
    this.#sweeping.stop();
    this.#settling.stop();
    this.#listener = undefined;
    this.#live.clear();
    this.#idle.clear();
    this.#ended.length = 0;
    this.#history.clear();
    this.#members.clear();
    this.#ids.clear();
  }

  #append(channel: string, publication: Publication, owner: string): Position {
    const stream = this.#stream(channel, owner);
    stream.touch(owner);
    const position = stream.append(owner, publication, this.#now());
    if (this.#history.isExceeded) this.#makeRoom();
    if (stream.subscribed) this.#listener?.onPublication(channel, publication, position);
    else this.#keepIdle(stream);
    return position;
  }

  #makeRoom(): void {
    for (let evicted = 0; this.#history.isExceeded; evicted += 1) {
      if (evicted === MAX_EVICTED_AT_ONCE) {
        this.#settling.start();
        return;
      }
      this.#evictOne();
    }
  }

  #evictOne(): void {
    const oldest = this.#history.first;
    oldest?.stream.drop(oldest);
  }

  /** The channel's stream, or a new life of it. */
  #stream(channel: string, owner: string): Stream {
    return (
      this.#live.get(channel) ??
      this.#idle.get(channel) ??
      new Stream(channel, nanoid(10), historyWindowOf(this.#channels, channel), owner, this.#history)
    );
  }

  #keepIdle(stream: Stream): void {
    this.#idle.keep(stream, this.#now());
    if (this.#idle.isExceeded) this.#settleIdle();
  }

  #settleIdle(): void {
    for (const stream of this.#idle.settle()) if (stream.empty()) this.#ended.push(stream);
    if (this.#idle.isExceeded || this.#ended.length > 0) this.#settling.start();
  }

  /** What did not fit in the turn that made it necessary. */
  *#settleSteps(): Generator<void> {
    while (this.#history.isExceeded && this.#history.first !== undefined) {
      this.#evictOne();
      yield;
    }
    while (this.#idle.isExceeded) {
      this.#settleIdle();
      yield;
    }
    for (let stream = this.#ended.pop(); stream !== undefined; stream = this.#ended.pop()) {
      while (stream.empty()) yield;
    }
  }

  /** Histories, positions and ids end with time also where nobody publishes any more. */
  *#sweepSteps(): Generator<void> {
    for (const stream of this.#live.values()) {
      while (stream.trim(this.#now())) yield;
      yield;
    }
    for (const stream of this.#idle.values()) {
      while (stream.trim(this.#now())) yield;
      const isOver = stream.idleSinceMs <= this.#now() - this.#idleStreamMs;
      if (isOver && stream.retainedCount === 0) this.#idle.take(stream);
      yield;
    }
    yield* this.#ids.forgetOld(this.#now());
  }
}
