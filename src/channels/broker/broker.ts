import type { BroadcastAudience, Member, Position, Sender } from "../../protocol/index.ts";
import type { Idempotency } from "./idempotency-window.ts";

/** What somebody says, before it has a place in a channel. */
export type Publication = {
  readonly eventName: string;
  readonly message: unknown;
  readonly id: string;
  readonly from: Sender;
  /** Milliseconds since 1970, by the clock of the node that took it. */
  readonly timestamp: number;
  /** The connection that does not want its own message back. */
  readonly exceptId?: string;
  /** How many binary values `message` has, where it has any. */
  readonly binaryCount?: number;
};

/** A message with its place, as history has it. */
export type RetainedMessage = { readonly offset: number; readonly publication: Publication };

/** What is retained of a channel after an offset. */
export type HistoryPage = {
  readonly epoch: string;
  /** The newest message's place. */
  readonly offset: number;
  /** The place of the first retained message after what was asked for; one past the newest when none is retained. */
  readonly firstOffset: number;
  /** From `firstOffset` on, oldest first, without a hole: where messages are missing, the page ends. */
  readonly messages: readonly RetainedMessage[];
};

export type PresenceChange = {
  readonly type: "join" | "leave" | "update";
  readonly member: Member;
  readonly exceptId?: string;
  /** Whose deed it is (an API key, an address group): what many cause is told in turns between owners. */
  readonly owner?: string;
  /** About what the member takes in memory, where that was measured. */
  readonly bytes?: number;
};

/** What a broker hands to this node's hub, in the order of each channel. */
export interface BrokerListener {
  onPublication(channel: string, publication: Publication, position: Position): void;
  /** `count` is the number of members after the changes. */
  onPresence(channel: string, changes: readonly PresenceChange[], count: number): void;
  onBroadcast(publication: Publication, audience: BroadcastAudience): void;
}

/** A page of a channel's members; `next` continues it, `count` is the number of all. */
export type MembersPage = {
  readonly members: readonly Member[];
  readonly count: number;
  readonly next: string | null;
};
export type PageRequest = { readonly limit: number; readonly after?: string | undefined };

/** Its place, or that its id was used for another body. */
export type Published = Position | "conflict";

export type PublishOptions = {
  /** Who is charged for what is kept of the message. */
  readonly owner: string;
  /** A publication whose id this scope used in this channel within the window gets the first one's place. */
  readonly idempotency?: Idempotency | undefined;
};

/**
 * Orders, stores and carries messages between nodes. All methods reject with an exception when the broker
 * is away; the caller answers `unavailable`.
 *
 * What a broker keeps, history, the positions of channels that nobody is in and message ids, is bounded by budgets that all
 * owners share, and charged to the owner that a call names (see `owner.ts`). When a budget is exceeded, the owner that holds most
 * of it gives way, its own oldest first. An owner below its fair share, the budget divided by the number of owners, loses
 * nothing, whatever others do: neither its messages, also in channels that others publish to, nor the epoch of a channel
 * that it was told, nor its ids.
 */
export interface Broker {
  /** One listener, the hub of this node. */
  listen(listener: BrokerListener): void;
  /** From the returned position on, the listener hears this channel. */
  subscribe(channel: string, owner: string): Promise<Position>;
  /** `others`: owners that were told the channel's epoch, besides the one that subscribed. */
  unsubscribe(channel: string, others?: readonly string[]): Promise<void>;
  /**
   * Resolves when the broker has the message, with its place. What repeats an id is not sent again.
   * @returns `conflict` when that id was used for another body
   */
  publish(channel: string, publication: Publication, options: PublishOptions): Promise<Published>;
  /**
   * Retained messages after an offset, at most `limit`. The epoch of a channel that was never used is the one that it will
   * have, and is kept for the owner like any other.
   */
  history(channel: string, after: number, limit: number, owner: string): Promise<HistoryPage>;
  /** To everyone connected, or to one key's connections, on every node; at most once, without a position. */
  broadcast(publication: Publication, audience: BroadcastAudience): Promise<void>;

  /**
   * Record presence changes, in their order and in one step, and tell every node that listens to the channel. From the
   * call on, `members` answers by them.
   */
  announce(channel: string, changes: readonly PresenceChange[]): Promise<void>;
  members(channel: string, page: PageRequest): Promise<MembersPage>;
  close(): Promise<void>;
}
