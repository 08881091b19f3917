import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { type Client, Clients, type FanOut, Hub, MemoryBroker } from "../../../src/channels/index.ts";

type Heard = { readonly event: string; readonly id: string; readonly data: unknown };

/** A connection that lists a channel's members when it joins and then believes what it is told. */
class Watcher {
  readonly id: string;
  readonly client: Client;
  /** By channel: who is there, and what they say about themselves. */
  readonly beliefs = new Map<string, Map<string, unknown>>();
  readonly ownHeard: string[] = [];
  readonly ownAsked: string[] = [];
  /** The connection of the same client that it took over. */
  readonly predecessor: string | undefined;

  constructor(id: string, client: Client, predecessor?: string) {
    this.id = id;
    this.client = client;
    this.predecessor = predecessor;
  }
}

/** Delivers at once to whoever is in a channel, and keeps who believes what. */
class Stage implements FanOut {
  readonly watchers = new Map<string, Watcher>();
  readonly #byChannel = new Map<string, Set<string>>();
  deliveries = 0;
  attach(): void {}
  detach(): void {}
  admit(): void {}
  toMembers(): void {}
  toEveryone(): void {}
  toKey(): number {
    return 0;
  }

  dismiss(id: string): void {
    for (const ids of this.#byChannel.values()) ids.delete(id);
  }

  watch(id: string, channel: string): void {
    const ids = this.#byChannel.get(channel) ?? new Set();
    this.#byChannel.set(channel, ids.add(id));
  }

  unwatch(id: string, channel: string): void {
    this.#byChannel.get(channel)?.delete(id);
  }

  toWatchers(channel: string, event: string, payload: unknown, exceptId?: string): number {
    for (const id of this.#byChannel.get(channel) ?? []) if (id !== exceptId) this.hear(id, event, payload);
    return 100;
  }

  hear(id: string, event: string, payload: unknown): void {
    const { channel, message } = Object(payload);
    const watcher = this.watchers.get(id);
    if (watcher === undefined) return;
    this.deliveries += 1;
    this.#believe(watcher, channel, { event, id: message.id, data: message.data });
  }

  #believe(watcher: Watcher, channel: string, { event, id, data }: Heard): void {
    if (id === watcher.id) watcher.ownHeard.push(`${event} ${channel} ${String(data)}`);
    const belief = watcher.beliefs.get(channel);
    if (belief === undefined) return;
    if (event === "channel:leave") {
      belief.delete(id);
      return;
    }
    const before = this.watchers.get(id)?.predecessor;
    if (event === "channel:join" && before !== undefined) {
      expect(belief.has(before), `${id} has come before ${before} has left`).to.equal(false);
    }
    belief.set(id, data);
  }
}

/** Numbers from 0 to below 1, the same for each seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const CHANNELS = ["a", "b", "c"];

describe("presence that is told in slices", () => {
  /** Connections that come, go, change and are taken over at random. */
  class Play {
    readonly random: () => number;
    readonly stage = new Stage();
    readonly clients = new Clients();
    readonly broker = new MemoryBroker();
    readonly hub: Hub;
    #made = 0;

    constructor(seed: number, costPerTurn: number) {
      this.random = randomOf(seed);
      this.hub = new Hub(this.broker, this.stage, {
        onFault: (error) => {
          throw error;
        },
        deliver: (id, event, payload) => {
          this.stage.hear(id, event, payload);
          return undefined;
        },
        presenceCostPerTurn: costPerTurn,
      });
    }

    async step(): Promise<void> {
      const watchers = [...this.stage.watchers.values()];
      const watcher = watchers[Math.floor(this.random() * watchers.length)];
      const channel = CHANNELS[Math.floor(this.random() * CHANNELS.length)] ?? "a";
      const echo = this.random() < 0.5;
      const kind = this.random();
      if (kind < 0.1 || watcher === undefined) this.#open();
      else if (kind < 0.4) await this.#join(watcher, channel, echo);
      else if (kind < 0.65) await this.#update(watcher, echo);
      else if (kind < 0.85) await this.#leave(watcher, channel, echo);
      else if (kind < 0.9) this.#close(watcher);
      else if (kind < 0.95) this.#takeOver(watcher);
      if (this.random() < 0.1) await nextTurn();
    }

    /** All that waits is told, and nobody lingers. */
    async settle(): Promise<void> {
      for (const { id } of this.stage.watchers.values()) {
        for (const channel of CHANNELS) {
          if (!this.hub.isMember(id, channel)) await this.hub.leave(id, channel, false);
        }
      }
      for (let idleTurns = 0; idleTurns < 200; idleTurns += 1) {
        const { deliveries } = this.stage;
        await nextTurn();
        if (this.stage.deliveries !== deliveries) idleTurns = 0;
      }
    }

    async close(): Promise<void> {
      this.hub.close();
      this.clients.close();
      await this.broker.close();
    }

    #open(): void {
      const id = `m${this.#made}`;
      this.#made += 1;
      const { client } = this.clients.connect(id, null, undefined);
      this.#admit(new Watcher(id, client));
    }

    #admit(watcher: Watcher): void {
      this.stage.watchers.set(watcher.id, watcher);
      this.hub.admit(watcher.id, watcher.client, `owner ${Math.floor(this.random() * 3)}`);
    }

    async #join({ id, beliefs, ownAsked }: Watcher, channel: string, echo: boolean): Promise<void> {
      if (this.hub.isMember(id, channel)) return;
      if (echo) ownAsked.push(`channel:join ${channel} ${String(this.#dataOf(id))}`);
      await this.hub.join(id, channel, { echo, watch: () => true });
      const answer = await this.hub.members(channel, { limit: 1_000 });
      if (answer === "off") throw new Error("presence is on");
      beliefs.set(channel, new Map(answer.members.map((member) => [member.id, member.data])));
    }

    async #update({ id, ownAsked }: Watcher, echo: boolean): Promise<void> {
      this.#data.set(id, Math.floor(this.random() * 1_000_000));
      if (echo) {
        for (const channel of this.hub.channelsOf(id)) {
          ownAsked.push(`channel:update ${channel} ${String(this.#dataOf(id))}`);
        }
      }
      await this.hub.update(id, this.#dataOf(id), echo);
    }

    async #leave({ id, beliefs, ownAsked }: Watcher, channel: string, echo: boolean): Promise<void> {
      if (!this.hub.isMember(id, channel)) return;
      if (echo) ownAsked.push(`channel:leave ${channel} ${String(this.#dataOf(id))}`);
      await this.hub.leave(id, channel, echo);
      beliefs.delete(channel);
    }

    #close({ id }: Watcher): void {
      this.stage.watchers.delete(id);
      this.hub.dismiss([id], this.random() < 0.3);
      if (this.random() < 0.7) this.hub.releaseLeaves();
    }

    #takeOver({ id, client }: Watcher): void {
      this.stage.watchers.delete(id);
      this.hub.supersede(id);
      const newId = `m${this.#made}`;
      this.#made += 1;
      this.#admit(new Watcher(newId, client, id));
    }

    readonly #data = new Map<string, unknown>();
    #dataOf(id: string): unknown {
      return this.#data.get(id) ?? null;
    }
  }

  for (const costPerTurn of [1, 7, 100_000]) {
    it(`leaves every watcher with the truth, and each with what it asked to hear of itself, at a cost of ${costPerTurn} a turn`, async () => {
      for (let seed = 1; seed <= 40; seed += 1) {
        const play = new Play(seed, costPerTurn);
        for (let step = 0; step < 150; step += 1) await play.step();
        play.hub.releaseLeaves();
        await play.settle();
        for (const { id, beliefs, ownHeard, ownAsked } of play.stage.watchers.values()) {
          const name = `seed ${seed}, ${id}`;
          expect(ownHeard, name).to.deep.equal(ownAsked);
          for (const [channel, belief] of beliefs) {
            const answer = await play.broker.members(channel, { limit: 1_000 });
            const truth = answer.members.map((member) => [member.id, member.data]);
            // What it says of itself it knows without being told.
            const ofOthers = (entries: unknown[][]) => entries.filter(([other]) => other !== id).sort();
            expect(ofOthers([...belief]), `${name} in ${channel}`).to.deep.equal(ofOthers(truth));
          }
        }
        await play.close();
      }
    });
  }
});
