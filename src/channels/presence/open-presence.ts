import type { PresenceCount } from "../../protocol/index.ts";
import type { Broker, MembersPage } from "../broker/broker.ts";
import { maxWatchedOf, presenceOf } from "../broker/channel-settings.ts";
import type { FanOut } from "../local/fan-out.ts";
import type { HubOptions } from "../local/hub-options.ts";
import type { Resident } from "../local/resident.ts";
import type { Rooms } from "../local/rooms.ts";
import { Announcer } from "./announcer.ts";
import { Presence } from "./presence.ts";
import { PresenceCharges } from "./presence-charges.ts";

export type PresenceParts = {
  readonly broker: Broker;
  readonly fanOut: FanOut;
  readonly rooms: Rooms;
  readonly residents: ReadonlyMap<string, Resident>;
  readonly options: HubOptions;
};

/** The two sides of presence on this node: what it says of its members, and what they hear. */
export function openPresence({ broker, fanOut, rooms, residents, options }: PresenceParts): {
  readonly presence: Presence;
  readonly announcer: Announcer;
  /** A member hears again who comes and goes, and has missed some of it: it is told to read the list anew. */
  readonly tellAnew: (id: string, channel: string) => void;
} {
  const {
    channels = [],
    maxPresenceDeliveriesPerSecond = 0,
    presenceCostPerTurn,
    untilTurn,
    onFault,
  } = options;
  const membersOf = (channel: string): number => rooms.get(channel)?.members.size ?? 0;
  const isWatching = (channel: string, id: string): boolean =>
    residents.get(id)?.channels.get(channel)?.watching === true;
  const presence = new Presence({
    fanOut,
    maxMembersOf: (channel) => maxWatchedOf(channels, channel),
    watchersOf: membersOf,
    isWatching,
    deliver: (id, eventName, payload) => void options.deliver(id, eventName, payload),
    costPerTurn: presenceCostPerTurn,
  });
  const charges = new PresenceCharges(maxPresenceDeliveriesPerSecond, (channel) =>
    presence.tellsEach(channel) ? membersOf(channel) : 0,
  );
  const isOff = (channel: string): boolean => presenceOf(channels, channel) === false;
  const onListed = (channel: string): void => presence.noteListed(channel);
  const tellAnew = (id: string, channel: string): void => {
    if (isOff(channel)) return;
    const tell = ({ count }: MembersPage): void => {
      if (!isWatching(channel, id)) return;
      const mode = presence.tellsEach(channel) ? "events" : "counts";
      const payload: PresenceCount = { channel, count, mode };
      void options.deliver(id, "channel:presence", payload);
    };
    broker.members(channel, { limit: 1 }).then(tell).catch(onFault);
  };
  return {
    presence,
    tellAnew,
    announcer: new Announcer({ broker, charges, isOff, onListed, onFault, untilTurn }),
  };
}
