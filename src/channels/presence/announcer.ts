import type { Member } from "../../protocol/index.ts";
import type { Broker, MembersPage, PageRequest, PresenceChange } from "../broker/broker.ts";
import type { HubOptions } from "../local/hub-options.ts";
import { memberOf, type Resident } from "../local/resident.ts";
import { Lingering } from "./lingering.ts";
import type { PresenceCharges } from "./presence-charges.ts";

export type AnnouncerOptions = {
  readonly broker: Broker;
  readonly charges: PresenceCharges;
  /** Whether the configuration wants nothing to be known of a channel's members. */
  readonly isOff: (channel: string) => boolean;
  /** Somebody is told who is in a channel. */
  readonly onListed: (channel: string) => void;
  readonly onFault: (error: unknown) => void;
  readonly untilTurn: HubOptions["untilTurn"];
};

/** Channels that an update is told in before others may have their turn: each is an encoding or two. */
const CHANNELS_AT_ONCE = 16;

/**
 * Tells the broker who of this node comes, changes and goes, where the configuration wants to know. Owns what lingers of
 * connections that were taken over.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #lingering = new Lingering((channel, member, owner) =>
    this.#announceSoon(channel, [leaveOf(member, owner)]),
  );

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** With `exceptId` a connection does not hear of it. A client that was taken over leaves and joins in one step. */
  join(resident: Resident, channel: string, exceptId?: string): Promise<void> {
    this.#options.charges.charge(resident, [channel]);
    const join = changeOf("join", resident, exceptId);
    const old = this.#lingering.take(resident.client, channel);
    return this.#announce(channel, old === undefined ? [join] : [leaveOf(old, resident.owner), join]);
  }

  leave(resident: Resident, channel: string): Promise<void> {
    this.#options.charges.charge(resident, [channel]);
    return this.#announce(channel, [leaveOf(memberOf(resident), resident.owner)]);
  }

  /** A client wants to be in the channel no longer: nor does it linger there. */
  leaveBehind({ client, owner }: Resident, channel: string): void {
    const old = this.#lingering.take(client, channel);
    if (old !== undefined) this.#announceSoon(channel, [leaveOf(old, owner)]);
  }

  async update(resident: Resident, channels: readonly string[], exceptId?: string): Promise<void> {
    this.#options.charges.charge(resident, channels);
    const updates = [changeOf("update", resident, exceptId)];
    for (let from = 0; from < channels.length; from += CHANNELS_AT_ONCE) {
      if (from > 0) await this.#options.untilTurn?.(resident.owner);
      // It may have left some of them meanwhile, or all.
      const now = channels
        .slice(from, from + CHANNELS_AT_ONCE)
        .filter((channel) => resident.channels.get(channel)?.state === "joined");
      await Promise.all(now.map((channel) => this.#announce(channel, updates)));
    }
  }

  /** Connections were taken out, of these channels each; of all of one channel in one step. */
  leaveSoon(gone: Iterable<readonly [resident: Resident, channels: readonly string[]]>): void {
    const leaves = new Map<string, PresenceChange[]>();
    const note = (channel: string, leave: PresenceChange): void => {
      const changes = leaves.get(channel);
      if (changes === undefined) leaves.set(channel, [leave]);
      else changes.push(leave);
    };
    for (const [resident, channels] of gone) {
      const { client, owner } = resident;
      const leave = leaveOf(memberOf(resident), owner);
      for (const channel of channels) note(channel, leave);
      for (const [channel, old] of this.#lingering.takeAll(client)) note(channel, leaveOf(old, owner));
    }
    for (const [channel, changes] of leaves) this.#announceSoon(channel, changes);
  }

  /** A connection was taken over: in each channel it leaves when its client joins again, or a little later. */
  leaveLater(resident: Resident, channels: readonly string[]): void {
    this.#lingering.add(resident.client, channels, memberOf(resident), resident.owner);
  }

  /** See {@link PresenceCharges.debtMs}. */
  debtMs(resident: Resident | undefined): number {
    return resident === undefined ? 0 : this.#options.charges.debtMs(resident);
  }

  /** @returns `off` where the configuration says that members are not listed. */
  async members(channel: string, page: PageRequest): Promise<MembersPage | "off"> {
    const { broker, isOff, onListed } = this.#options;
    if (isOff(channel)) return "off";
    onListed(channel);
    try {
      return await broker.members(channel, page);
    } finally {
      // Asked of a broker, the answer is of an instant between then and now.
      onListed(channel);
    }
  }

  close(): void {
    this.#lingering.close();
  }

  async #announce(channel: string, changes: readonly PresenceChange[]): Promise<void> {
    const { broker, isOff } = this.#options;
    if (!isOff(channel)) await broker.announce(channel, changes);
  }

  #announceSoon(channel: string, changes: readonly PresenceChange[]): void {
    this.#announce(channel, changes).catch((error: unknown) => this.#options.onFault(error));
  }
}

function changeOf(type: "join" | "update", resident: Resident, exceptId: string | undefined): PresenceChange {
  const { owner, memberBytes: bytes } = resident;
  const change = { type, member: memberOf(resident), owner, bytes };
  return exceptId === undefined ? change : { ...change, exceptId };
}

function leaveOf(member: Member, owner: string): PresenceChange {
  return { type: "leave", member, owner };
}
