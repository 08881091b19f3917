import { Traffic } from "../observe/traffic.ts";
import { type BroadcastAudience, type History, LIMITS, type Position } from "../protocol/index.ts";
import type { Broker, MembersPage, PageRequest, Publication, PublishOptions } from "./broker/broker.ts";
import { attend, type Client, leaveOff, withdraw } from "./clients/attendance.ts";
import { Delivery } from "./delivery.ts";
import type { ChannelList, ChannelListRequest } from "./local/channel-list.ts";
import type { FanOut } from "./local/fan-out.ts";
import type { HubOptions, Joined, JoinOptions } from "./local/hub-options.ts";
import {
  channelsIn,
  createResident,
  type Membership,
  noteHeard,
  type Resident,
  setData,
} from "./local/resident.ts";
import { type ChannelPage, type ChannelPageRequest, Rooms, UNLIMITED } from "./local/rooms.ts";
import type { Tap, TapListener } from "./local/taps.ts";
import type { Announcer } from "./presence/announcer.ts";
import { openPresence } from "./presence/open-presence.ts";
import type { Presence } from "./presence/presence.ts";
import { type BroadcastResult, PublishIntake, type PublishResult } from "./publish-intake.ts";
import { readHistory } from "./recovery/history.ts";
import { replayToJoining } from "./recovery/join-replay.ts";

/**
 * This node's members and what they hear. Owns the list of residents, from `admit` to `dismiss` or `supersede`. It never
 * asks about permission: callers decide first, and take away with `leave`, `unwatch` and `dismiss` what no longer holds.
 */
export class Hub {
  readonly #broker: Broker;
  readonly #fanOut: FanOut;
  readonly #options: HubOptions;
  readonly #residents = new Map<string, Resident>();
  readonly #rooms: Rooms;
  readonly traffic: Traffic;
  readonly #presence: Presence;
  readonly #announcer: Announcer;
  readonly #tellPresenceAnew: (id: string, channel: string) => void;
  readonly #intake: PublishIntake;

  constructor(broker: Broker, fanOut: FanOut, options: HubOptions) {
    const { onFault, budgets = UNLIMITED, traffic = new Traffic() } = options;
    const residents = this.#residents;
    const rooms = new Rooms({ broker, onFault, budgets, memberOf: (id) => residents.get(id) });
    const { presence, announcer, tellAnew } = openPresence({ broker, fanOut, rooms, residents, options });
    this.#broker = broker;
    this.#fanOut = fanOut;
    this.#options = options;
    this.#rooms = rooms;
    this.traffic = traffic;
    this.#intake = new PublishIntake(broker, traffic);
    this.#presence = presence;
    this.#announcer = announcer;
    this.#tellPresenceAnew = tellAnew;
    broker.listen(new Delivery({ rooms, fanOut, presence, traffic, connections: residents }));
  }

  get connectionCount(): number {
    return this.#residents.size;
  }
  get channelCount(): number {
    return this.#rooms.size;
  }

  get membershipCount(): number {
    return this.#rooms.memberships;
  }

  /** Channels with members on this node, in the order of their names. */
  channels(request: ChannelListRequest): Promise<ChannelList | "busy"> {
    return this.#rooms.list(request);
  }

  /** The same for operators: a page of them, with what this node knows of each. */
  channelPage(request: ChannelPageRequest): ChannelPage {
    return this.#rooms.page(request);
  }

  /** Listen in on a channel without being a member: nobody is told, nobody waits. */
  tap(channel: string, listener: TapListener): Tap {
    return this.#rooms.taps.add(channel, listener);
  }

  /** Take a connection in: it hears broadcasts from now on. Its owner, an API key or an address group, is charged for it. */
  admit(id: string, client: Client, owner = client.keyId ?? "", addressGroup = ""): void {
    this.#residents.set(id, createResident(id, client, owner, addressGroup));
    this.#fanOut.admit(id, client.keyId);
  }

  /**
   * Take connections out of everything, and out of the lists of members, at once; their channels hear that they left, of
   * thousands a little later. All are out before the first leave is told, so that a thousand who go together are not told
   * of each other. With `holdLeaves` the leaves wait for `releaseLeaves`: those who go are told first.
   */
  dismiss(ids: Iterable<string>, holdLeaves = false): void {
    const gone: [Resident, readonly string[]][] = [];
    for (const id of ids) {
      const resident = this.#residents.get(id);
      if (resident !== undefined) gone.push([resident, this.#takeOut(resident)]);
    }
    if (holdLeaves) this.#presence.hold();
    this.#announcer.leaveSoon(gone);
  }

  /** Tell the leaves that were held back. */
  releaseLeaves(): void {
    this.#presence.release();
  }

  /**
   * Take a connection out whose client is here on a new one: in each channel it leaves when the new one joins, so that the
   * client is never gone, or a little later.
   */
  supersede(id: string): void {
    const resident = this.#residents.get(id);
    if (resident !== undefined) this.#announcer.leaveLater(resident, this.#takeOut(resident));
  }

  close(): void {
    this.#announcer.close();
    this.#presence.close();
  }

  /** What a connection is a member of, or about to be. */
  channelsOf(id: string): readonly string[] {
    return [...(this.#residents.get(id)?.channels.keys() ?? [])];
  }

  /** Why a connection may not be a member of one more channel, by the limit of its own and the budgets of the node. */
  limitOf(id: string, channel: string): "too_many_channels" | "too_many_channels_per_connection" | undefined {
    const resident = this.#residents.get(id);
    if (resident === undefined || resident.channels.has(channel)) return undefined;
    if (resident.channels.size >= LIMITS.channelsPerConnection) return "too_many_channels_per_connection";
    return this.#rooms.admits(channel, resident) ? undefined : "too_many_channels";
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
    const known = resident.channels.get(channel);
    const membership: Membership = known ?? { state: "joining", watching: false, liveAfter: 0 };
    resident.channels.set(channel, membership);
    const room = this.#rooms.enter(channel, resident);
    try {
      await room.ready;
    } catch (error) {
      if (resident.channels.get(channel) === membership && membership.state === "joining") {
        resident.channels.delete(channel);
        this.#exit(channel, resident);
      }
      throw error;
    }
    // A leave, a dismissal or an enforcement may have come while the broker was asked.
    if (resident.channels.get(channel) !== membership) return undefined;
    if (membership.state !== "joining") {
      this.#setWatching(resident, channel, membership, options.watch());
      return { epoch: room.epoch, offset: room.offset, recovered: false };
    }
    // A join that asks for nothing waits for nothing here.
    const source = { ...this.#options, broker: this.#broker };
    const replayed =
      options.since === undefined
        ? undefined
        : await replayToJoining(source, resident, channel, room, options);
    if (resident.channels.get(channel) !== membership) return undefined;
    // From here to the attachment nothing waits: the replay ends where the live messages begin.
    membership.state = "joined";
    membership.liveAfter = room.offset;
    this.#fanOut.attach(id, channel);
    this.#setWatching(resident, channel, membership, options.watch());
    const position = { epoch: room.epoch, offset: room.offset };
    attend(resident.client, channel, position);
    await this.#announcer.join(resident, channel, options.echo ? undefined : id);
    return { ...position, recovered: replayed?.recovered === true };
  }

  /** The milliseconds for which a connection may neither join nor update: what its presence costs others is bounded. */
  presenceDebtMs(id: string): number {
    return this.#announcer.debtMs(this.#residents.get(id));
  }

  /**
   * End a membership. With `echo` the connection hears its own leave if it watches the channel.
   * @returns false when the connection was not a member.
   */
  async leave(id: string, channel: string, echo: boolean): Promise<boolean> {
    const resident = this.#residents.get(id);
    const membership = resident?.channels.get(channel);
    if (resident === undefined) return false;
    this.#announcer.leaveBehind(resident, channel);
    leaveOff(resident.client, channel);
    if (membership === undefined) return false;
    if (membership.state !== "joined") {
      this.#remove(resident, channel);
      return true;
    }
    if (echo && membership.watching) {
      // It hears its own leave in the channel's order, and is taken out when that has come.
      membership.state = "leaving";
      try {
        await this.#announcer.leave(resident, channel);
      } finally {
        if (resident.channels.get(channel) === membership) this.#remove(resident, channel);
      }
      return true;
    }
    this.#remove(resident, channel);
    await this.#announcer.leave(resident, channel);
    return true;
  }

  /** End a membership at once, as enforcement does, or what lingers of the client's old one; the others hear the leave. */
  expel(id: string, channel: string): void {
    const resident = this.#residents.get(id);
    const membership = resident?.channels.get(channel);
    if (resident === undefined) return;
    this.#announcer.leaveBehind(resident, channel);
    if (membership === undefined) return;
    withdraw(resident.client, channel);
    this.#remove(resident, channel);
    if (membership.state !== "joined") return;
    this.#announcer.leave(resident, channel).catch((error: unknown) => this.#options.onFault(error));
  }

  /** Let a member hear who comes and goes, or no longer. Who could not for a while is told that it has missed some of it. */
  setWatching(id: string, channel: string, watching: boolean): void {
    const resident = this.#residents.get(id);
    const membership = resident?.channels.get(channel);
    if (resident === undefined || membership?.state !== "joined" || membership.watching === watching) return;
    this.#setWatching(resident, channel, membership, watching);
    if (watching) this.#tellPresenceAnew(id, channel);
  }

  /** Change what a connection says about itself, in all its channels. */
  async update(id: string, data: unknown, echo: boolean): Promise<void> {
    const resident = this.#residents.get(id);
    if (resident === undefined) return;
    setData(resident, data);
    await this.#announcer.update(resident, channelsIn(resident, "joined"), echo ? undefined : id);
  }

  /** See {@link PublishIntake.publish}. */
  publish(channel: string, publication: Publication, options: PublishOptions): Promise<PublishResult> {
    return this.#intake.publish(channel, publication, options);
  }

  broadcast(publication: Publication, audience: BroadcastAudience): Promise<BroadcastResult> {
    return this.#intake.broadcast(publication, audience);
  }

  /** See {@link PublishIntake.close}: whoever stops a node does this before it takes its members out. */
  stopPublishing(graceMs: number): Promise<void> {
    return this.#intake.close(graceMs);
  }

  /** See {@link readHistory}. */
  history(
    channel: string,
    after: Position | undefined,
    limit: number,
    owner: string,
    isOnePacket = false,
  ): Promise<History> {
    return readHistory(this.#broker, channel, after, limit, owner, isOnePacket);
  }

  /** @returns `off` where the configuration says that members are not listed. */
  members(channel: string, page: PageRequest): Promise<MembersPage | "off"> {
    return this.#announcer.members(channel, page);
  }

  /** From now on it hears nothing and is in no room. @returns the channels whose members know of it. */
  #takeOut(resident: Resident): readonly string[] {
    const { id, channels } = resident;
    this.#residents.delete(id);
    this.#fanOut.dismiss(id);
    const joined = channelsIn(resident, "joined");
    for (const channel of channels.keys()) this.#exit(channel, resident);
    channels.clear();
    this.#rooms.places.release(resident);
    return joined;
  }

  #exit(channel: string, resident: Resident): void {
    if (this.#rooms.exit(channel, resident)) this.#presence.forget(channel);
  }

  #setWatching(resident: Resident, channel: string, membership: Membership, watching: boolean): void {
    if (membership.watching === watching) return;
    membership.watching = watching;
    if (watching) this.#fanOut.watch(resident.id, channel);
    else this.#fanOut.unwatch(resident.id, channel);
  }

  #remove(resident: Resident, channel: string): void {
    const room = this.#rooms.get(channel);
    const membership = resident.channels.get(channel);
    if (room !== undefined && membership !== undefined) noteHeard(resident, channel, membership, room);
    resident.channels.delete(channel);
    this.#fanOut.detach(resident.id, channel);
    this.#fanOut.unwatch(resident.id, channel);
    this.#exit(channel, resident);
  }
}
