import { FairAdmission } from "../../lib/fair-admission.ts";
import { Slices } from "../../lib/slices.ts";
import { type NamesPage, SortedNames } from "../../lib/sorted-names.ts";
import type { Broker } from "../broker/broker.ts";
import { type ChannelList, type ChannelListRequest, listChannels } from "./channel-list.ts";
import { MessageRate } from "./message-rate.ts";
import { Places } from "./places.ts";
import type { Resident } from "./resident.ts";
import { Taps } from "./taps.ts";

/** A channel with members on this node, and how far this node has delivered it. */
export type Room = {
  epoch: string;
  offset: number;
  readonly members: Set<string>;
  readonly rate: MessageRate;
  readonly ready: Promise<void>;
  /** The member that the channel is counted with. */
  payer: Resident;
  /** Those who may be the next: each is passed once, however many leave. */
  payers: Iterator<string> | undefined;
  /** Other owners than the first that have had members in it: they were told its epoch. */
  others: string[] | undefined;
};

/** How many channels with members, and memberships, a node takes: see {@link FairAdmission} and {@link Places}. */
export type RoomBudgets = { readonly maxChannels: number; readonly maxMemberships: number };

export const UNLIMITED: RoomBudgets = {
  maxChannels: Number.POSITIVE_INFINITY,
  maxMemberships: Number.POSITIVE_INFINITY,
};

/** Owners of a room that are remembered, besides the first. */
const MAX_OTHERS = 16;

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

export type RoomsOptions = {
  readonly broker: Broker;
  readonly onFault: (error: unknown) => void;
  readonly budgets: RoomBudgets;
  /** Every connection that is in a room. */
  readonly memberOf: (id: string) => Resident | undefined;
};

/**
 * The channels that have members on this node, joining ones included. The broker is subscribed to exactly these and to
 * those that are tapped. A channel is counted with one of its members, and with another when that one leaves.
 */
export class Rooms {
  readonly #broker: Broker;
  readonly #onFault: (error: unknown) => void;
  readonly #memberOf: (id: string) => Resident | undefined;
  readonly #rooms = new Map<string, Room>();
  /** Their names in order: to list some of many must not cost a look at each. */
  readonly #names = new SortedNames();
  readonly #slices = new Slices(LIST_SLICE_MS);
  readonly taps: Taps;
  readonly #channels: FairAdmission;
  readonly places: Places;
  #memberships = 0;

  constructor({ broker, onFault, budgets, memberOf }: RoomsOptions) {
    this.#broker = broker;
    this.#onFault = onFault;
    this.#memberOf = memberOf;
    this.#channels = new FairAdmission(budgets.maxChannels);
    this.places = new Places(budgets.maxMemberships);
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

  /** Whether one that is not in the channel may enter it: it is counted, and so is the channel if it is new here. */
  admits(channel: string, member: Resident): boolean {
    return (this.#rooms.has(channel) || this.#channels.admits(member)) && this.places.admits(member);
  }

  /** The room with this connection in it; the first one asks the broker for the channel. */
  enter(channel: string, member: Resident): Room {
    const known = this.#rooms.get(channel);
    if (known?.members.has(member.id) === true) return known;
    this.#memberships += 1;
    this.places.recount(member);
    if (known !== undefined) {
      known.members.add(member.id);
      noteOwner(known, member);
      return known;
    }
    this.#channels.add(member);
    const subscribed = this.#broker.subscribe(channel, member.owner);
    const room: Room = {
      epoch: "",
      offset: 0,
      members: new Set([member.id]),
      rate: new MessageRate(),
      ready: subscribed.then((position) => {
        // A publication may have arrived before this promise was seen: it knows better.
        if (room.epoch === "") {
          room.epoch = position.epoch;
          room.offset = position.offset;
        }
      }),
      payer: member,
      payers: undefined,
      others: undefined,
    };
    this.#rooms.set(channel, room);
    this.#names.add(channel);
    return room;
  }

  /** Take a connection out. @returns whether it was the last one, with which the room ends. */
  exit(channel: string, member: Resident): boolean {
    const room = this.#rooms.get(channel);
    if (room === undefined || !room.members.delete(member.id)) return false;
    this.#memberships -= 1;
    this.places.recount(member);
    if (room.members.size > 0) {
      if (room.payer === member) this.#passOn(room);
      return false;
    }
    this.#channels.remove(room.payer);
    this.#rooms.delete(channel);
    this.#names.delete(channel);
    if (!this.taps.has(channel)) {
      this.#broker.unsubscribe(channel, room.others).catch((error: unknown) => this.#onFault(error));
    }
    return true;
  }

  /** The room is counted with the next of its members. */
  #passOn(room: Room): void {
    room.payers ??= room.members.values();
    const next = room.payers.next();
    const payer = next.done === true ? undefined : this.#memberOf(next.value);
    if (payer === undefined) return;
    this.#channels.remove(room.payer);
    this.#channels.add(payer);
    room.payer = payer;
  }
}

function noteOwner(room: Room, { owner }: Resident): void {
  if (owner === room.payer.owner || room.others?.includes(owner) === true) return;
  room.others ??= [];
  if (room.others.length < MAX_OTHERS) room.others.push(owner);
}
