import { Slices } from "../lib/slices.ts";
import { type NamesPage, SortedNames } from "../lib/sorted-names.ts";
import type { Broker } from "./broker.ts";
import { type ChannelList, type ChannelListRequest, listChannels } from "./channel-list.ts";
import { MessageRate } from "./message-rate.ts";
import { Taps } from "./taps.ts";

/** A channel with members on this node, and how far this node has delivered it. */
export type Room = {
  epoch: string;
  offset: number;
  readonly members: Set<string>;
  readonly rate: MessageRate;
  readonly ready: Promise<void>;
};

/** A channel as its operators see it: what this node has of it. */
export type ChannelView = {
  readonly name: string;
  readonly members: number;
  readonly epoch: string;
  readonly offset: number;
  readonly messagesPerSecond: number;
};
export type ChannelPageRequest = NamesPage & { readonly nowMs: number };
export type ChannelPage = {
  readonly items: readonly ChannelView[];
  readonly next: string | null;
  readonly total: number;
};

/** What lists of channels may take of a turn of the event loop, all together. */
const LIST_SLICE_MS = 2;

/**
 * The channels that have members on this node, joining ones included. The broker is subscribed to exactly these and to
 * those that are tapped.
 */
export class Rooms {
  readonly #broker: Broker;
  readonly #onFault: (error: unknown) => void;
  readonly #rooms = new Map<string, Room>();
  /** Their names in order: to list some of many must not cost a look at each. */
  readonly #names = new SortedNames();
  readonly #slices = new Slices(LIST_SLICE_MS);
  readonly taps: Taps;
  #memberships = 0;

  constructor(broker: Broker, onFault: (error: unknown) => void) {
    this.#broker = broker;
    this.#onFault = onFault;
    this.taps = new Taps({ broker, onFault, readyOf: (channel) => this.#rooms.get(channel)?.ready });
  }

  /** Members of all channels together. */
  get memberships(): number {
    return this.#memberships;
  }

  get size(): number {
    return this.#rooms.size;
  }

  get(channel: string): Room | undefined {
    return this.#rooms.get(channel);
  }

  /** The wanted ones in the order of their names. @returns `busy` when too many questions of the owner wait. */
  list(request: ChannelListRequest): Promise<ChannelList | "busy"> {
    const membersOf = (channel: string): number => this.#rooms.get(channel)?.members.size ?? 0;
    return listChannels({ names: this.#names, membersOf, slices: this.#slices }, request);
  }

  /** Those whose names begin with `prefix` and come after `after`, in the order of their names. */
  page({ prefix, after, limit, nowMs }: ChannelPageRequest): ChannelPage {
    const names = this.#names.page({ prefix, after, limit: limit + 1 });
    const hasMore = names.length > limit;
    if (hasMore) names.pop();
    const [next, total] = [hasMore ? (names.at(-1) ?? null) : null, this.#names.count(prefix)];
    const items: ChannelView[] = [];
    for (const name of names) {
      const room = this.#rooms.get(name);
      if (room === undefined) continue;
      const { members, epoch, offset, rate } = room;
      items.push({ name, members: members.size, epoch, offset, messagesPerSecond: rate.perSecond(nowMs) });
    }
    return { items, next, total };
  }

  /** The room with this connection in it; the first one asks the broker for the channel. */
  enter(channel: string, id: string, owner: string): Room {
    const known = this.#rooms.get(channel);
    if (known !== undefined) {
      if (!known.members.has(id)) this.#memberships += 1;
      known.members.add(id);
      return known;
    }
    this.#memberships += 1;
    const subscribed = this.#broker.subscribe(channel, owner);
    const room: Room = {
      epoch: "",
      offset: 0,
      members: new Set([id]),
      rate: new MessageRate(),
      ready: subscribed.then((position) => {
        // A publication may have arrived before this promise was seen: it knows better.
        if (room.epoch === "") {
          room.epoch = position.epoch;
          room.offset = position.offset;
        }
      }),
    };
    this.#rooms.set(channel, room);
    this.#names.add(channel);
    return room;
  }

  /** Take a connection out. @returns whether it was the last one, with which the room ends. */
  exit(channel: string, id: string): boolean {
    const room = this.#rooms.get(channel);
    if (room === undefined || !room.members.delete(id)) return false;
    this.#memberships -= 1;
    if (room.members.size > 0) return false;
    this.#rooms.delete(channel);
    this.#names.delete(channel);
    if (!this.taps.has(channel)) {
      this.#broker.unsubscribe(channel).catch((error: unknown) => this.#onFault(error));
    }
    return true;
  }
}
