import type { Traffic } from "../observe/traffic.ts";
import type { BroadcastAudience, BroadcastMessage, Position } from "../protocol/index.ts";
import type { BrokerListener, PresenceChange, Publication } from "./broker/broker.ts";
import type { FanOut } from "./local/fan-out.ts";
import type { Rooms } from "./local/rooms.ts";
import type { Presence } from "./presence/presence.ts";
import { messageOf } from "./recovery/replay.ts";

export type DeliveryOptions = {
  readonly rooms: Rooms;
  readonly fanOut: FanOut;
  readonly presence: Presence;
  readonly traffic: Traffic;
  /** All of this node, by id. */
  readonly connections: { readonly size: number; has(id: string): boolean };
};

/** What comes from the broker goes to this node's members, and to those who listen in. */
export class Delivery implements BrokerListener {
  readonly #options: DeliveryOptions;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  onPublication(channel: string, publication: Publication, position: Position): void {
    const { rooms, fanOut, presence, traffic } = this.#options;
    if (rooms.taps.size > 0) rooms.taps.tell(channel, publication, position);
    const room = rooms.get(channel);
    if (room === undefined) return;
    room.epoch = position.epoch;
    room.offset = position.offset;
    room.rate.count(publication.timestamp);
    presence.beforeMessage(channel, publication.from?.id ?? undefined);
    const { exceptId } = publication;
    const isLeftOut = exceptId !== undefined && room.members.has(exceptId);
    traffic.delivered += room.members.size - (isLeftOut ? 1 : 0);
    const payload = messageOf(channel, publication, position);
    fanOut.toMembers(channel, publication.eventName, payload, publication.exceptId);
  }

  onPresence(channel: string, changes: readonly PresenceChange[], count: number): void {
    const { rooms, presence } = this.#options;
    if (rooms.get(channel) !== undefined) presence.take(channel, changes, count);
  }

  onBroadcast(publication: Publication, audience: BroadcastAudience): void {
    const { fanOut, traffic, connections } = this.#options;
    const { id, from, message, timestamp } = publication;
    const payload: BroadcastMessage = { channel: null, message, id, from, timestamp };
    const { eventName, exceptId } = publication;
    if (audience !== "everyone") {
      traffic.delivered += fanOut.toKey(audience.keyId, eventName, payload, exceptId);
      return;
    }
    const isLeftOut = exceptId !== undefined && connections.has(exceptId);
    traffic.delivered += connections.size - (isLeftOut ? 1 : 0);
    fanOut.toEveryone(eventName, payload, exceptId);
  }
}
