import { expect } from "chai";
import { Clients, type FanOut, Hub, MemoryBroker, type Publication } from "../../../src/channels/index.ts";
import { MessageRate } from "../../../src/channels/local/message-rate.ts";
import { Traffic } from "../../../src/observe/traffic.ts";

const silent = (): void => {};
const FAN_OUT: FanOut = {
  admit: silent,
  dismiss: silent,
  attach: silent,
  detach: silent,
  watch: silent,
  unwatch: silent,
  toMembers: silent,
  toWatchers: () => 0,
  toEveryone: silent,
  toKey: () => 0,
};

describe("listening in on a channel", () => {
  let broker: MemoryBroker;
  let hub: Hub;
  let traffic: Traffic;
  let heard: string[];

  beforeEach(() => {
    broker = new MemoryBroker();
    traffic = new Traffic();
    hub = new Hub(broker, FAN_OUT, {
      deliver: () => undefined,
      traffic,
      onFault: (error) => {
        throw error;
      },
    });
    heard = [];
  });
  afterEach(() => broker.close());

  const say = (id: string): Publication => ({ eventName: "say", message: id, id, from: null, timestamp: 0 });
  const listen = (channel = "room") =>
    hub.tap(channel, ({ id }, { offset }) => heard.push(`${channel} ${id} ${offset}`));
  const join = async (id: string, channel = "room"): Promise<void> => {
    hub.admit(id, new Clients().connect(id, null, undefined).client);
    await hub.join(id, channel, { echo: true, watch: () => true });
  };

  it("keeps nobody from hearing a message when it fails, and says so", async () => {
    const faults: unknown[] = [];
    const told: unknown[] = [];
    const fanOut: FanOut = { ...FAN_OUT, toMembers: (...args) => told.push(args[2]) };
    const other = new MemoryBroker();
    const own = new Hub(other, fanOut, { deliver: () => undefined, onFault: (error) => faults.push(error) });
    own.admit("a", new Clients().connect("a", null, undefined).client);
    await own.join("a", "room", { echo: true, watch: () => true });
    const fault = new Error("a tap fails");
    own.tap("room", () => {
      throw fault;
    });
    own.tap("room", ({ id }) => heard.push(id));
    expect(await own.publish("room", say("m"), { owner: "" })).to.include({ offset: 1 });
    expect(told).to.have.length(1);
    expect(heard).to.deep.equal(["m"]);
    expect(faults).to.deep.equal([fault]);
    own.close();
    await other.close();
  });

  it("hears a channel without members, which stays unlisted, until it ends", async () => {
    const tap = listen();
    await tap.ready;
    await hub.publish("room", say("a"), { owner: "" });
    await hub.publish("other", say("b"), { owner: "" });
    expect(heard).to.deep.equal(["room a 1"]);
    expect([hub.channelCount, hub.membershipCount]).to.deep.equal([0, 0]);
    expect(hub.channelPage({ prefix: "", after: "", limit: 10, nowMs: 0 }).items).to.deep.equal([]);
    tap.end();
    tap.end();
    await hub.publish("room", say("c"), { owner: "" });
    expect(heard).to.deep.equal(["room a 1"]);
  });

  it("goes on while members come and go, and does not end the members' own hearing", async () => {
    const tap = listen();
    await tap.ready;
    await join("m");
    await hub.publish("room", say("a"), { owner: "" });
    await hub.leave("m", "room", true);
    await hub.publish("room", say("b"), { owner: "" });
    await join("n");
    tap.end();
    await hub.publish("room", say("c"), { owner: "" });
    expect(heard).to.deep.equal(["room a 1", "room b 2"]);
    expect(traffic.delivered).to.equal(2);
  });

  it("hears each message once for each listener, and the others go on when one ends", async () => {
    await join("m");
    const [first, second] = [listen(), listen()];
    await Promise.all([first.ready, second.ready]);
    await hub.publish("room", say("a"), { owner: "" });
    first.end();
    await hub.publish("room", say("b"), { owner: "" });
    second.end();
    await hub.publish("room", say("c"), { owner: "" });
    expect(heard).to.deep.equal(["room a 1", "room a 1", "room b 2"]);
    expect(await hub.leave("m", "room", false)).to.equal(true);
  });

  it("counts memberships, publications and deliveries", async () => {
    await join("a");
    await join("b");
    await hub.join("a", "second", { echo: true, watch: () => true });
    await hub.join("a", "second", { echo: true, watch: () => true });
    expect(hub.membershipCount).to.equal(3);
    await hub.publish("room", { ...say("x"), exceptId: "a" }, { owner: "" });
    await hub.publish("room", { ...say("y"), exceptId: "somebody on another node" }, { owner: "" });
    await hub.broadcast(say("z"), "everyone");
    expect([traffic.published, traffic.delivered]).to.deep.equal([3, 1 + 2 + 2]);
    hub.dismiss(["a", "b"]);
    expect(hub.membershipCount).to.equal(0);
  });
});

describe("a channel's rate", () => {
  it("is the count of the last whole second", () => {
    const rate = new MessageRate();
    expect(rate.perSecond(5_000)).to.equal(0);
    for (const atMs of [10_000, 10_500, 10_999]) rate.count(atMs);
    expect(rate.perSecond(10_999)).to.equal(0);
    expect(rate.perSecond(11_000)).to.equal(3);
    rate.count(11_200);
    expect(rate.perSecond(11_900)).to.equal(3);
    expect(rate.perSecond(12_000)).to.equal(1);
    expect(rate.perSecond(13_000)).to.equal(0);
    rate.count(20_000);
    expect(rate.perSecond(20_500)).to.equal(0);
  });
});
