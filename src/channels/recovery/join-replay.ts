import type { Broker } from "../broker/broker.ts";
import type { HubOptions, JoinOptions } from "../local/hub-options.ts";
import { heardOf, type Resident, reachOf } from "../local/resident.ts";
import type { Room } from "../local/rooms.ts";
import { replay } from "./replay.ts";

/** Where what was missed comes from, and how it goes to the connection. */
type Source = Pick<HubOptions, "deliver" | "untilTurn"> & { readonly broker: Broker };

/** Send a connection that joins what it has missed, if it asked for it. @returns undefined when the join ended meanwhile. */
export async function replayToJoining(
  { broker, deliver, untilTurn }: Source,
  resident: Resident,
  channel: string,
  room: Room,
  { since, mayReadHistory }: JoinOptions,
): Promise<{ readonly recovered: boolean } | undefined> {
  if (since === undefined) return { recovered: false };
  const membership = resident.channels.get(channel);
  const isWanted = (): boolean => resident.channels.get(channel) === membership;
  const outcome = await replay(broker, room, channel, {
    since,
    from: () => reachOf(resident, channel, room, mayReadHistory?.() === true),
    heard: heardOf(resident, channel, room.epoch),
    clientId: resident.client.clientId,
    owner: resident.owner,
    isWanted,
    // To be encoded for one connection alone costs the others' time, too.
    deliver: (eventName, payload) => deliver(resident.id, eventName, payload) ?? untilTurn?.(resident.owner),
  });
  return isWanted() ? outcome : undefined;
}
