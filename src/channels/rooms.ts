import type { Broker } from "./broker.ts";

/** A channel with members on this node, and how far this node has delivered it. */
export type Room = {
  epoch: string;
  offset: number;
  readonly members: Set<string>;
  readonly ready: Promise<void>;
};

export type ChannelSummary = { readonly channel: string; readonly members: number };

/** The channels that have members on this node, joining ones included. The broker is subscribed to exactly these. */
export class Rooms {
  readonly #broker: Broker;
  readonly #onFault: (error: unknown) => void;
  readonly #rooms = new Map<string, Room>();

  constructor(broker: Broker, onFault: (error: unknown) => void) {
    this.#broker = broker;
    this.#onFault = onFault;
  }

  get size(): number {
    return this.#rooms.size;
  }

  get(channel: string): Room | undefined {
    return this.#rooms.get(channel);
  }

  /** In the order of their names. */
  list(prefix: string, limit: number, isWanted: (channel: string) => boolean): ChannelSummary[] {
    const names = [...this.#rooms.keys()].filter((name) => name.startsWith(prefix)).sort();
    const items: ChannelSummary[] = [];
    for (const channel of names) {
      if (items.length === limit) break;
      if (isWanted(channel)) items.push({ channel, members: this.#rooms.get(channel)?.members.size ?? 0 });
    }
    return items;
  }

  /** The room with this connection in it; the first one asks the broker for the channel. */
  enter(channel: string, id: string): Room {
    const known = this.#rooms.get(channel);
    if (known !== undefined) {
      known.members.add(id);
      return known;
    }
    const subscribed = this.#broker.subscribe(channel);
    const room: Room = {
      epoch: "",
      offset: 0,
      members: new Set([id]),
      ready: subscribed.then((position) => {
        // A publication may have arrived before this promise was seen: it knows better.
        if (room.epoch === "") {
          room.epoch = position.epoch;
          room.offset = position.offset;
        }
      }),
    };
    this.#rooms.set(channel, room);
    return room;
  }

  /** Take a connection out; with the last one the room ends. */
  exit(channel: string, id: string): void {
    const room = this.#rooms.get(channel);
    if (room === undefined || !room.members.delete(id) || room.members.size > 0) return;
    this.#rooms.delete(channel);
    this.#broker.unsubscribe(channel).catch((error: unknown) => this.#onFault(error));
  }
}
