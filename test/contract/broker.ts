import { expect } from "chai";
import type {
  Broker,
  BrokerBudgets,
  BrokerListener,
  ChannelSettings,
  PresenceChange,
  Publication,
} from "../../src/channels/index.ts";
import type { Position } from "../../src/protocol/index.ts";
import { describeBrokerBudgets } from "./broker-budgets.ts";

export type BrokerSetup = BrokerBudgets & {
  readonly channels: readonly ChannelSettings[];
  readonly idleStreamMs: number;
  readonly idempotencyWindowMs: number;
};

/** A broker that begins with nothing. `elapse` makes it believe that so much time has passed. */
export type BrokerHarness = {
  readonly broker: Broker;
  elapse(ms: number): Promise<void> | void;
  close(): Promise<void>;
};

export type CreateBroker = (setup: BrokerSetup) => Promise<BrokerHarness>;

const SETUP: BrokerSetup = {
  maxHistoryBytes: 1024 * 1024,
  maxIdleChannels: 100,
  maxMessageIds: 100,
  channels: [
    { pattern: "short", history: { size: 3, seconds: 60 } },
    { pattern: "none", history: { size: 0, seconds: 60 } },
  ],
  idleStreamMs: 10_000,
  idempotencyWindowMs: 10_000,
};

/** One broker of a test, with what its listener heard. */
export class BrokerFixture {
  readonly heard: [channel: string, message: unknown, offset: number][] = [];
  readonly presence: [channel: string, changes: readonly PresenceChange[], count: number][] = [];
  #harness: BrokerHarness | undefined;
  readonly #createBroker: CreateBroker;

  constructor(createBroker: CreateBroker) {
    this.#createBroker = createBroker;
  }

  get harness(): BrokerHarness {
    if (this.#harness === undefined) throw new Error("not open");
    return this.#harness;
  }

  get broker(): Broker {
    return this.harness.broker;
  }

  async open(setup: Partial<BrokerSetup> = {}): Promise<void> {
    this.heard.length = 0;
    this.presence.length = 0;
    this.#harness = await this.#createBroker({ ...SETUP, ...setup });
    const listener: BrokerListener = {
      onPublication: (channel, { message }, { offset }) => this.heard.push([channel, message, offset]),
      onPresence: (...told) => this.presence.push(told),
      onBroadcast: ({ message }, audience) =>
        this.heard.push([audience === "everyone" ? "" : `of ${audience.keyId}`, message, 0]),
    };
    this.broker.listen(listener);
  }

  async close(): Promise<void> {
    await this.#harness?.close();
    this.#harness = undefined;
  }

  say(message: unknown, id = String(Math.random())): Publication {
    return { eventName: "say", message, id, from: null, timestamp: 1_000_000 };
  }

  async publish(channel: string, message: unknown, owner = "key"): Promise<Position> {
    const position = await this.broker.publish(channel, this.say(message), { owner });
    if (position === "conflict") throw new Error("conflict");
    return position;
  }

  /** The same with an id of the message that counts. */
  send(channel: string, message: unknown, id: string, scope = "scope", owner = "key") {
    return this.broker.publish(channel, this.say(message, id), { owner, idempotency: { scope } });
  }

  /** Everything that is retained of a channel, whatever holes there are. */
  async retained(channel: string, owner = "key"): Promise<readonly [offset: number, message: unknown][]> {
    const all: [number, unknown][] = [];
    for (let after = 0; ; ) {
      const page = await this.broker.history(channel, after, 1_000, owner);
      for (const { offset, publication } of page.messages) all.push([offset, publication.message]);
      const last = page.messages.at(-1);
      if (last === undefined) return all;
      after = last.offset;
    }
  }
}

/** The behaviour of a broker, whatever it keeps its channels in. */
export function describeBroker(name: string, createBroker: CreateBroker): void {
  describe(`broker ${name}`, () => {
    const fixture = new BrokerFixture(createBroker);
    beforeEach(() => fixture.open());
    afterEach(() => fixture.close());

    describeOrder(fixture);
    describeIdempotency(fixture);
    describeHistory(fixture);
    describePresence(fixture);
    describeBrokerBudgets(fixture);
  });
}

function describeOrder(fixture: BrokerFixture): void {
  describe("order and epochs", () => {
    it("a channel's messages are numbered from 1, and its listener hears them in that order", async () => {
      const { broker, heard } = fixture;
      const start = await broker.subscribe("a", "key");
      expect(start.offset).to.equal(0);
      const offsets = await Promise.all(["x", "y", "z"].map((text) => fixture.publish("a", text)));
      expect(offsets).to.deep.equal([1, 2, 3].map((offset) => ({ epoch: start.epoch, offset })));
      await fixture.publish("b", "nobody listens");
      expect(heard).to.deep.equal([
        ["a", "x", 1],
        ["a", "y", 2],
        ["a", "z", 3],
      ]);
    });

    it("a channel that is not listened to any more is heard no longer", async () => {
      await fixture.broker.subscribe("a", "key");
      await fixture.broker.unsubscribe("a");
      expect(await fixture.publish("a", "x")).to.include({ offset: 1 });
      expect(fixture.heard).to.deep.equal([]);
    });

    it("a broadcast is heard without a channel, with whom it is for", async () => {
      await fixture.broker.broadcast(fixture.say("to all"), "everyone");
      await fixture.broker.broadcast(fixture.say("to a key"), { keyId: "key_1" });
      await fixture.broker.broadcast(fixture.say("to those without"), { keyId: null });
      expect(fixture.heard).to.deep.equal([
        ["", "to all", 0],
        ["of key_1", "to a key", 0],
        ["of null", "to those without", 0],
      ]);
    });

    it("a channel keeps its epoch while nobody listens, until that was so for a while", async () => {
      const { broker, harness } = fixture;
      const first = await fixture.publish("none", 1);
      await harness.elapse(9_000);
      expect(await fixture.publish("none", 2)).to.deep.equal({ epoch: first.epoch, offset: 2 });
      await harness.elapse(11_000);
      await harness.elapse(11_000);
      const later = await broker.subscribe("none", "key");
      expect(later.offset).to.equal(0);
      expect(later.epoch).to.not.equal(first.epoch);
    });

    it("a channel that is listened to keeps its epoch, however long nothing happens", async () => {
      const first = await fixture.broker.subscribe("none", "key");
      for (let i = 0; i < 10; i += 1) await fixture.harness.elapse(11_000);
      expect(await fixture.publish("none", 1)).to.deep.equal({ epoch: first.epoch, offset: 1 });
    });

    it("the epoch of a channel that was never used is the one that it has when it is used", async () => {
      const { broker } = fixture;
      const told = await broker.history("unused", 0, 10, "key");
      expect(told).to.deep.include({ offset: 0, firstOffset: 1, messages: [] });
      expect(await broker.history("unused", 0, 10, "other")).to.deep.equal(told);
      expect(await broker.subscribe("unused", "key")).to.deep.equal({ epoch: told.epoch, offset: 0 });
      expect(await fixture.publish("unused", 1)).to.deep.equal({ epoch: told.epoch, offset: 1 });
    });
  });
}

function describeIdempotency(fixture: BrokerFixture): void {
  describe("message ids", () => {
    it("a repeated id gets the first one's place and is not sent again", async () => {
      await fixture.broker.subscribe("a", "key");
      const first = await fixture.send("a", { n: 1 }, "id");
      expect(await fixture.send("a", { n: 1 }, "id")).to.deep.equal(first);
      expect(fixture.heard).to.have.length(1);
    });

    it("an id that was used for another body is a conflict, and nothing is sent", async () => {
      await fixture.broker.subscribe("a", "key");
      await fixture.send("a", 1, "id");
      expect(await fixture.send("a", 2, "id")).to.equal("conflict");
      expect(fixture.heard).to.have.length(1);
    });

    it("ids of other scopes and channels have nothing to do with each other", async () => {
      await fixture.send("a", 1, "id", "one");
      expect(await fixture.send("a", 2, "id", "other")).to.include({ offset: 2 });
      expect(await fixture.send("b", 3, "id", "one")).to.include({ offset: 1 });
      const long = "x".repeat(200);
      expect(await fixture.send(long, 1, "id", long)).to.include({ offset: 1 });
      expect(await fixture.send(long, 1, "id", long)).to.include({ offset: 1 });
      expect(await fixture.send(long, 1, "other", long)).to.include({ offset: 2 });
    });

    it("an id is new again when its window is over", async () => {
      await fixture.send("a", 1, "id");
      await fixture.harness.elapse(10_001);
      expect(await fixture.send("a", 2, "id")).to.include({ offset: 2 });
      expect(await fixture.send("a", 2, "id")).to.include({ offset: 2 });
    });
  });
}

function describeHistory(fixture: BrokerFixture): void {
  describe("history", () => {
    it("a page has what is retained after an offset, oldest first, and at most so many", async () => {
      for (let n = 1; n <= 5; n += 1) await fixture.publish("a", n);
      const page = await fixture.broker.history("a", 1, 3, "key");
      expect(page).to.include({ offset: 5, firstOffset: 2 });
      expect(page.messages.map(({ offset, publication }) => [offset, publication.message])).to.deep.equal([
        [2, 2],
        [3, 3],
        [4, 4],
      ]);
      expect(await fixture.broker.history("a", 5, 3, "key")).to.deep.include({
        firstOffset: 6,
        messages: [],
      });
    });

    it("a channel keeps as many messages as its window says, and says where they begin", async () => {
      for (let n = 1; n <= 5; n += 1) await fixture.publish("short", n);
      expect(await fixture.broker.history("short", 0, 10, "key")).to.include({ offset: 5, firstOffset: 3 });
      expect(await fixture.retained("short")).to.deep.equal([
        [3, 3],
        [4, 4],
        [5, 5],
      ]);
      await fixture.publish("none", 1);
      expect(await fixture.broker.history("none", 0, 10, "key")).to.deep.include({
        offset: 1,
        firstOffset: 2,
        messages: [],
      });
    });

    it("a channel keeps messages as long as its window says", async () => {
      await fixture.publish("short", "old");
      await fixture.harness.elapse(40_000);
      await fixture.publish("short", "new");
      await fixture.harness.elapse(30_000);
      expect(await fixture.retained("short")).to.deep.equal([[2, "new"]]);
    });
  });
}

function describePresence(fixture: BrokerFixture): void {
  const member = (id: string, data: unknown = null) => ({ id, clientId: `client ${id}`, data });
  const join = (id: string) => fixture.broker.announce("room", [{ type: "join", member: member(id) }]);

  describe("presence", () => {
    it("members are listed in pages in the order in which they joined, although some leave in between", async () => {
      for (const id of ["a", "b", "c", "d"]) await join(id);
      const first = await fixture.broker.members("room", { limit: 2 });
      expect(first.members.map(({ id }) => id)).to.deep.equal(["a", "b"]);
      expect(first.count).to.equal(4);
      await fixture.broker.announce("room", [{ type: "leave", member: member("b") }]);
      await join("e");
      const second = await fixture.broker.members("room", { limit: 2, after: first.next ?? "" });
      expect(second.members.map(({ id }) => id)).to.deep.equal(["c", "d"]);
      expect(second).to.include({ count: 4, next: null });
    });

    it("changes are told in their order with the count after them, and an update of nobody makes no member", async () => {
      await join("a");
      const changes: readonly PresenceChange[] = [
        { type: "leave", member: member("a") },
        { type: "join", member: member("b") },
        { type: "update", member: member("c", 1) },
      ];
      await fixture.broker.announce("room", changes);
      expect(fixture.presence.at(-1)).to.deep.equal(["room", changes, 1]);
      const page = await fixture.broker.members("room", { limit: 10 });
      expect(page).to.deep.equal({ members: [member("b")], count: 1, next: null });
      expect(await fixture.broker.members("nowhere", { limit: 10 })).to.deep.equal({
        members: [],
        count: 0,
        next: null,
      });
    });
  });
}
