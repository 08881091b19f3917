import type { Member } from "../protocol/index.ts";
import type { Client } from "./attendance.ts";
import type { Broker, MembersPage, PageRequest, PresenceChange } from "./broker.ts";
import { Lingering } from "./lingering.ts";
import { memberOf, type Resident } from "./resident.ts";

/**
 * Tells the broker who of this node comes, changes and goes, where the configuration wants to know. Owns what lingers of
 * connections that were taken over.
 */
export class Announcer {
  readonly #broker: Broker;
  readonly #isOff: (channel: string) => boolean;
  readonly #onFault: (error: unknown) => void;
  readonly #lingering = new Lingering((channel, member) => this.#announceSoon(channel, [leaveOf(member)]));

  constructor(broker: Broker, isOff: (channel: string) => boolean, onFault: (error: unknown) => void) {
    this.#broker = broker;
    this.#isOff = isOff;
    this.#onFault = onFault;
  }

  /** With `exceptId` a connection does not hear of it. A client that was taken over leaves and joins in one step. */
  join(resident: Resident, channel: string, exceptId?: string): Promise<void> {
    const join: PresenceChange = { type: "join", member: memberOf(resident), ...except(exceptId) };
    const old = this.#lingering.take(resident.client, channel);
    return this.#announce(channel, old === undefined ? [join] : [leaveOf(old), join]);
  }

  leave(resident: Resident, channel: string): Promise<void> {
    return this.#announce(channel, [leaveOf(memberOf(resident))]);
  }

  /** A client wants to be in the channel no longer: nor does it linger there. */
  leaveBehind(client: Client, channel: string): void {
    const old = this.#lingering.take(client, channel);
    if (old !== undefined) this.#announceSoon(channel, [leaveOf(old)]);
  }

  async update(resident: Resident, channels: readonly string[], exceptId?: string): Promise<void> {
    const update: PresenceChange = { type: "update", member: memberOf(resident), ...except(exceptId) };
    await Promise.all(channels.map((channel) => this.#announce(channel, [update])));
  }

  /** Connections were taken out, of these channels each; of all of one channel in one step. */
  leaveSoon(gone: Iterable<readonly [resident: Resident, channels: readonly string[]]>): void {
    const leaves = new Map<string, PresenceChange[]>();
    const note = (channel: string, member: Member): void => {
      const changes = leaves.get(channel);
      if (changes === undefined) leaves.set(channel, [leaveOf(member)]);
      else changes.push(leaveOf(member));
    };
    for (const [resident, channels] of gone) {
      const member = memberOf(resident);
      for (const channel of channels) note(channel, member);
      for (const [channel, old] of this.#lingering.takeAll(resident.client)) note(channel, old);
    }
    for (const [channel, changes] of leaves) this.#announceSoon(channel, changes);
  }

  /** A connection was taken over: in each channel it leaves when its client joins again, or a little later. */
  leaveLater(resident: Resident, channels: readonly string[]): void {
    this.#lingering.add(resident.client, channels, memberOf(resident));
  }

  /** @returns `off` where the configuration says that members are not listed. */
  async members(channel: string, page: PageRequest): Promise<MembersPage | "off"> {
    return this.#isOff(channel) ? "off" : this.#broker.members(channel, page);
  }

  close(): void {
    this.#lingering.close();
  }

  async #announce(channel: string, changes: readonly PresenceChange[]): Promise<void> {
    if (!this.#isOff(channel)) await this.#broker.announce(channel, changes);
  }

  #announceSoon(channel: string, changes: readonly PresenceChange[]): void {
    this.#announce(channel, changes).catch((error: unknown) => this.#onFault(error));
  }
}

function leaveOf(member: Member): PresenceChange {
  return { type: "leave", member };
}

function except(exceptId: string | undefined): { exceptId?: string } {
  return exceptId === undefined ? {} : { exceptId };
}
