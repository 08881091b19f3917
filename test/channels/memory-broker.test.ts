import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { type BrokerListener, MemoryBroker, type Publication } from "../../src/channels/index.ts";

describe("memory broker", () => {
  let nowMs = 0;
  let broker: MemoryBroker;
  let heard: [string, unknown, number][];
  const say = (message: unknown, id = String(Math.random())): Publication => ({
    eventName: "say",
    message,
    id,
    from: null,
    timestamp: nowMs,
  });
  const listener: BrokerListener = {
    onPublication: (channel, { message }, { offset }) => heard.push([channel, message, offset]),
    onPresence: () => {},
    onBroadcast: () => {},
  };

  beforeEach(() => {
    nowMs = 1_000_000;
    heard = [];
    broker = new MemoryBroker({
      now: () => nowMs,
      idleStreamMs: 1_000,
      maxIdleStreams: 3,
      idempotencyWindowMs: 1_000,
      maxIds: 3,
    });
    broker.listen(listener);
  });
  afterEach(() => broker.close());

  const publish = async (channel: string, message: unknown, id?: string, scope?: string) => {
    const position = await broker.publish(
      channel,
      say(message, id),
      scope === undefined ? undefined : { scope },
    );
    if (position === "conflict") throw new Error("conflict");
    return position;
  };

  it("numbers each channel's messages from 1 and tells listeners in that order", async () => {
    const start = await broker.subscribe("a");
    expect(start.offset).to.equal(0);
    expect(await publish("a", "x")).to.deep.equal({ epoch: start.epoch, offset: 1 });
    await publish("b", "unheard");
    expect(await publish("a", "y")).to.deep.equal({ epoch: start.epoch, offset: 2 });
    expect(heard).to.deep.equal([
      ["a", "x", 1],
      ["a", "y", 2],
    ]);
  });

  it("keeps a channel's life while nobody listens, within its bounds", async () => {
    const first = await publish("kept", 1);
    expect(await publish("kept", 2)).to.deep.equal({ epoch: first.epoch, offset: 2 });
    for (const name of ["p", "q", "r"]) await publish(name, 1);
    expect((await broker.subscribe("kept")).epoch).to.not.equal(first.epoch);
  });

  it("keeps a channel that has listeners, however many others come and go", async () => {
    const { epoch } = await broker.subscribe("live");
    for (let i = 0; i < 100; i += 1) await publish(`other ${i}`, 1);
    expect(await publish("live", 1)).to.deep.equal({ epoch, offset: 1 });
    await broker.unsubscribe("live");
    expect(await broker.subscribe("live")).to.deep.equal({ epoch, offset: 1 });
  });

  it("forgets an id after its window, and the oldest when there are too many", async () => {
    await broker.subscribe("a");
    const first = await publish("a", 1, "id", "s");
    expect(await publish("a", 1, "id", "s")).to.deep.equal(first);
    expect(await broker.publish("a", say(2, "id"), { scope: "s" })).to.equal("conflict");
    nowMs += 1_001;
    expect((await publish("a", 2, "id", "s")).offset).to.equal(2);
    for (const id of ["b", "c", "d"]) await publish("a", 1, id, "s");
    expect((await publish("a", 2, "id", "s")).offset).to.equal(6);
    expect(heard.length).to.equal(6);
  });

  it("pages through members although some leave in between", async () => {
    const member = (id: string) => ({ id, clientId: id, data: null });
    for (const id of ["a", "b", "c", "d"])
      await broker.announce("room", [{ type: "join", member: member(id) }]);
    const first = await broker.members("room", { limit: 2 });
    expect(first.members.map(({ id }) => id)).to.deep.equal(["a", "b"]);
    await broker.announce("room", [{ type: "leave", member: member("b") }]);
    const second = await broker.members("room", { limit: 2, after: first.next ?? "" });
    expect(second.members.map(({ id }) => id)).to.deep.equal(["c", "d"]);
    expect(second).to.include({ count: 3, next: null });
  });

  it("holds nothing of a message that its history has let go", async () => {
    setFlagsFromString("--expose-gc");
    const collect: unknown = runInNewContext("gc");
    if (typeof collect !== "function") throw new Error("no gc");
    const messages: WeakRef<object>[] = [];
    for (let i = 0; i < 10; i += 1) {
      const message = { i };
      messages.push(new WeakRef(message));
      await publish("large", message);
    }
    nowMs += 1_000_000;
    expect((await broker.history("large", 0, 10)).messages).to.deep.equal([]);
    // A WeakRef lives until the end of the turn in which it was made.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(messages.filter((message) => message.deref() !== undefined).length).to.be.lessThan(2);
  });
});
