import { Traffic } from "../observe/traffic.ts";
import type { BroadcastMessage, History, Position, PresenceEvent } from "../protocol/index.ts";
import type {
  Broker,
  BrokerListener,
  MembersPage,
  PageRequest,
  PresenceChange,
  Publication,
} from "./broker.ts";
import { attend, type Client, leaveOff, withdraw } from "./clients.ts";
import type { FanOut } from "./fan-out.ts";
import { readHistory } from "./history.ts";
import type { Idempotency } from "./idempotency-window.ts";
import { LeaveQueue } from "./leave-queue.ts";
import { messageOf, replay } from "./replay.ts";
import {
  createResident,
  type Membership,
  memberOf,
  type Resident,
  reachOf,
  rememberHeard,
} from "./resident.ts";
import { type ChannelPage, type ChannelPageRequest, type ChannelSummary, Rooms } from "./rooms.ts";
import type { Tap, TapListener } from "./taps.ts";

export type JoinOptions = {
  readonly echo: boolean;
  readonly watch: boolean;
  /** What the client has heard of the channel: it wants what came since. */
  readonly since?: Position | undefined;
  /** Without it, `since` reaches no further back than the client's own membership. */
  readonly mayReadHistory?: boolean;
};

/** Where a member stands. `recovered`: with `since`, and nothing between is missing. */
export type Joined = Position & { readonly recovered: boolean };

export type HubOptions = {
  /** Hears of announcements that the broker did not take after the member was already gone. */
  readonly onFault: (error: unknown) => void;
  /** Send one connection what is replayed to it alone, before anything that is sent to it later. */
  readonly deliver: (connectionId: string, eventName: string, payload: unknown) => void;
  /**
   * In a channel of more members than this nobody is told who comes and goes: that would cost the square of
   * their number.
   */
  readonly maxWatchedMembers?: number;
  readonly traffic?: Traffic;
};

/**
 * This node's members and what they hear. Owns the list of residents, from `admit` to `dismiss`. It never asks about permission: callers decide first, and take
 * away with `leave`, `unwatch` and `dismiss` what no longer holds.
 */
export class Hub implements BrokerListener {
  readonly #broker: Broker;
  readonly #fanOut: FanOut;
  readonly #onFault: (error: unknown) => void;
  readonly #maxWatchedMembers: number;
  readonly #deliver: HubOptions["deliver"];
  readonly #residents = new Map<string, Resident>();
  readonly #rooms: Rooms;
  readonly #traffic: Traffic;
  readonly #leaves = new LeaveQueue((channel, resident) => this.#announceLeave(channel, resident));

  constructor(broker: Broker, fanOut: FanOut, options: HubOptions) {
    this.#maxWatchedMembers = options.maxWatchedMembers ?? 500;
    this.#broker = broker;
    this.#fanOut = fanOut;
    this.#onFault = options.onFault;
    this.#deliver = options.deliver;
    this.#rooms = new Rooms(broker, options.onFault);
    this.#traffic = options.traffic ?? new Traffic();
    broker.listen(this);
  }

  get connectionCount(): number {
    return this.#residents.size;
  }

  get channelCount(): number {
    return this.#rooms.size;
  }

  /** Channels with members on this node, in the order of their names. */
  channels(prefix: string, limit: number, isWanted: (channel: string) => boolean): ChannelSummary[] {
    return this.#rooms.list(prefix, limit, isWanted);
  }

  /** Members of all channels together. */
  get membershipCount(): number {
    return this.#rooms.memberships;
  }

  /** The same for operators: a page of them, with what this node knows of each. */
  channelPage(request: ChannelPageRequest): ChannelPage {
    return this.#rooms.page(request);
  }

  /** Listen in on a channel without being a member: nobody is told, nobody waits. */
  tap(channel: string, listener: TapListener): Tap {
    return this.#rooms.taps.add(channel, listener);
  }

  /** Take a connection in: it hears broadcasts from now on. */
  admit(id: string, client: Client): void {
    this.#residents.set(id, createResident(id, client));
    this.#fanOut.admit(id);
  }

  /**
   * Take connections out of everything, at once; their channels hear that they left, of thousands a little later.
   * All are out before the first leave is told, so that a thousand who go together are not told of each other. With
   * `holdLeaves` their leaves wait for `releaseLeaves`: those who go are told first.
   */
  dismiss(ids: Iterable<string>, holdLeaves = false): void {
    const gone: Resident[] = [];
    for (const id of ids) {
      const resident = this.#residents.get(id);
      if (resident === undefined) continue;
      this.#residents.delete(id);
      this.#fanOut.dismiss(id);
      for (const channel of resident.channels.keys()) this.#rooms.exit(channel, id);
      gone.push(resident);
    }
    for (const resident of gone) {
      for (const [channel, membership] of resident.channels) {
        if (membership.state === "joined") this.#leaves.add(channel, resident);
      }
      resident.channels.clear();
    }
    if (holdLeaves) this.#leaves.hold();
    else this.#leaves.flow();
  }

  /** Tell the leaves that were held back. */
  releaseLeaves(): void {
    this.#leaves.release();
  }

  /** Forget the leaves that are still to be told. */
  close(): void {
    this.#leaves.close();
  }

  /** The channels that a connection is a member of, or about to be. */
  channelsOf(id: string): readonly string[] {
    return [...(this.#residents.get(id)?.channels.keys() ?? [])];
  }

  isMember(id: string, channel: string): boolean {
    return this.#residents.get(id)?.channels.get(channel)?.state === "joined";
  }

  /**
   * Make a connection a member. Resolves with the position after which it hears everything, or with
   * undefined when it left or was taken out meanwhile. Joining again is answered, announced to nobody, and
   * brings `watch` up to date.
   */
  async join(id: string, channel: string, options: JoinOptions): Promise<Joined | undefined> {
    const resident = this.#residents.get(id);
    if (resident === undefined) return undefined;
    const before = resident.channels.get(channel);
    const membership: Membership = before ?? { state: "joining", watching: false };
    resident.channels.set(channel, membership);
    const room = this.#rooms.enter(channel, id);
    try {
      await room.ready;
    } catch (error) {
      if (resident.channels.get(channel) === membership && membership.state === "joining") {
        resident.channels.delete(channel);
        this.#rooms.exit(channel, id);
      }
      throw error;
    }
    // A leave, a dismissal or an enforcement may have come while the broker was asked.
    if (resident.channels.get(channel) !== membership) return undefined;
    if (membership.state !== "joining") {
      this.#setWatching(resident, channel, membership, options.watch);
      return { epoch: room.epoch, offset: room.offset, recovered: false };
    }
    const { since } = options;
    let recovered = false;
    if (since !== undefined) {
      const outcome = await replay(this.#broker, room, channel, {
        since,
        ...reachOf(resident, channel, room, options.mayReadHistory === true),
        clientId: resident.client.clientId,
        isWanted: () => resident.channels.get(channel) === membership,
        deliver: (eventName, payload) => this.#deliver(id, eventName, payload),
      });
      if (outcome === undefined || resident.channels.get(channel) !== membership) return undefined;
      recovered = outcome.recovered;
    }
    // From here to the attachment nothing waits: the replay ends where the live messages begin.
    membership.state = "joined";
    this.#fanOut.attach(id, channel);
    this.#setWatching(resident, channel, membership, options.watch);
    const position = { epoch: room.epoch, offset: room.offset };
    attend(resident.client, channel, position);
    this.#leaves.tellOf(channel, resident.client);
    const exceptId = options.echo ? {} : { exceptId: id };
    await this.#broker.announce(channel, { type: "join", member: memberOf(resident), ...exceptId });
    return { ...position, recovered };
  }

  /**
   * End a membership. With `echo` the connection hears its own leave if it watches the channel.
   * @returns false when the connection was not a member.
   */
  async leave(id: string, channel: string, echo: boolean): Promise<boolean> {
    const resident = this.#residents.get(id);
    const membership = resident?.channels.get(channel);
    if (resident === undefined || membership === undefined) return false;
    leaveOff(resident.client, channel);
    if (membership.state !== "joined") {
      this.#remove(resident, channel);
      return true;
    }
    if (echo && membership.watching) {
      // It hears its own leave in the channel's order, and is taken out when that has come.
      membership.state = "leaving";
      try {
        await this.#broker.announce(channel, { type: "leave", member: memberOf(resident) });
      } finally {
        if (resident.channels.get(channel) === membership) this.#remove(resident, channel);
      }
      return true;
    }
    this.#remove(resident, channel);
    await this.#broker.announce(channel, { type: "leave", member: memberOf(resident) });
    return true;
  }

  /** End a membership at once, as enforcement does; the others hear the leave. */
  expel(id: string, channel: string): void {
    const resident = this.#residents.get(id);
    const membership = resident?.channels.get(channel);
    if (resident === undefined || membership === undefined) return;
    withdraw(resident.client, channel);
    this.#remove(resident, channel);
    if (membership.state === "joined") this.#announceLeave(channel, resident);
  }

  /** Let a member hear who comes and goes, or no longer. */
  setWatching(id: string, channel: string, watching: boolean): void {
    const resident = this.#residents.get(id);
    const membership = resident?.channels.get(channel);
    if (resident === undefined || membership?.state !== "joined") return;
    this.#setWatching(resident, channel, membership, watching);
  }

  /** Change what a connection says about itself, in all its channels. */
  async update(id: string, data: unknown, echo: boolean): Promise<void> {
    const resident = this.#residents.get(id);
    if (resident === undefined) return;
    resident.data = data;
    const member = memberOf(resident);
    const exceptId = echo ? {} : { exceptId: id };
    const announced: Promise<void>[] = [];
    for (const [channel, membership] of resident.channels) {
      if (membership.state === "joined") {
        announced.push(this.#broker.announce(channel, { type: "update", member, ...exceptId }));
      }
    }
    await Promise.all(announced);
  }

  /** See {@link Broker.publish}. */
  publish(
    channel: string,
    publication: Publication,
    idempotency?: Idempotency,
  ): Promise<Position | "conflict"> {
    this.#traffic.published += 1;
    return this.#broker.publish(channel, publication, idempotency);
  }

  broadcast(publication: Publication): Promise<void> {
    this.#traffic.published += 1;
    return this.#broker.broadcast(publication);
  }

  /** Retained messages after a position, as members got them. */
  history(channel: string, after: Position | undefined, limit: number): Promise<History> {
    return readHistory(this.#broker, channel, after, limit);
  }

  members(channel: string, page: PageRequest): Promise<MembersPage> {
    return this.#broker.members(channel, page);
  }

  onPublication(channel: string, publication: Publication, position: Position): void {
    if (this.#rooms.taps.size > 0) this.#rooms.taps.tell(channel, publication, position);
    const room = this.#rooms.get(channel);
    if (room === undefined) return;
    room.epoch = position.epoch;
    room.offset = position.offset;
    room.rate.count(publication.timestamp);
    const { exceptId } = publication;
    const isLeftOut = exceptId !== undefined && room.members.has(exceptId);
    this.#traffic.delivered += room.members.size - (isLeftOut ? 1 : 0);
    const payload = messageOf(channel, publication, position);
    this.#fanOut.toMembers(channel, publication.eventName, payload, publication.exceptId);
  }

  onPresence(channel: string, change: PresenceChange, count: number): void {
    if (count > this.#maxWatchedMembers) return;
    const payload: PresenceEvent = { channel, message: change.member };
    this.#fanOut.toWatchers(channel, `channel:${change.type}`, payload, change.exceptId);
  }

  onBroadcast(publication: Publication): void {
    const { id, from, message, timestamp } = publication;
    const payload: BroadcastMessage = { channel: null, message, id, from, timestamp };
    const { exceptId } = publication;
    const isLeftOut = exceptId !== undefined && this.#residents.has(exceptId);
    this.#traffic.delivered += this.#residents.size - (isLeftOut ? 1 : 0);
    this.#fanOut.toEveryone(publication.eventName, payload, publication.exceptId);
  }

  #announceLeave(channel: string, resident: Resident): void {
    this.#broker
      .announce(channel, { type: "leave", member: memberOf(resident) })
      .catch((error: unknown) => this.#onFault(error));
  }

  #setWatching(resident: Resident, channel: string, membership: Membership, watching: boolean): void {
    if (membership.watching === watching) return;
    membership.watching = watching;
    if (watching) this.#fanOut.watch(resident.id, channel);
    else this.#fanOut.unwatch(resident.id, channel);
  }

  #remove(resident: Resident, channel: string): void {
    const room = this.#rooms.get(channel);
    if (room !== undefined && room.epoch !== "") rememberHeard(resident, channel, room);
    resident.channels.delete(channel);
    this.#fanOut.detach(resident.id, channel);
    this.#fanOut.unwatch(resident.id, channel);
    this.#rooms.exit(channel, resident.id);
  }
}
