import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { MemoryBroker, type Publication } from "../../../src/channels/index.ts";
import { describeBroker } from "../../contract/broker.ts";

describeBroker("in memory", async (setup) => {
  let nowMs = 1_000_000;
  const broker = new MemoryBroker({ ...setup, now: () => nowMs });
  return {
    broker,
    async elapse(ms) {
      nowMs += ms;
      await broker.sweep();
    },
    close: () => broker.close(),
  };
});

describe("memory broker", () => {
  let nowMs = 0;
  const say = (message: unknown, id = String(Math.random())): Publication => ({
    eventName: "say",
    message,
    id,
    from: null,
    timestamp: nowMs,
  });

  beforeEach(() => {
    nowMs = 1_000_000;
  });

  it("holds nothing of a message that its history has let go", async () => {
    const broker = new MemoryBroker({ now: () => nowMs });
    setFlagsFromString("--expose-gc");
    const collect: unknown = runInNewContext("gc");
    if (typeof collect !== "function") throw new Error("no gc");
    const messages: WeakRef<object>[] = [];
    for (let i = 0; i < 10; i += 1) {
      const message = { i };
      messages.push(new WeakRef(message));
      await broker.publish("large", say(message), { owner: "key" });
    }
    nowMs += 1_000_000;
    expect((await broker.history("large", 0, 10, "key")).messages).to.deep.equal([]);
    // A WeakRef lives until the end of the turn in which it was made.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(messages.filter((message) => message.deref() !== undefined).length).to.be.lessThan(2);
    await broker.close();
  });

  it("makes room for one large message in slices, so that no turn pays for all that gives way", async () => {
    const maxHistoryBytes = 8 * 1024 * 1024;
    const broker = new MemoryBroker({ maxHistoryBytes, now: () => nowMs });
    while (broker.historyBytes < maxHistoryBytes - 1_000)
      await broker.publish(`tiny ${Math.random() * 1_000}`, say(1), { owner: "loud" });
    const before = broker.historyBytes;
    await broker.publish("large", say("x".repeat(1_200_000)), { owner: "quiet" });
    expect(broker.historyBytes).to.be.within(before + 2_000_000, before + 2_500_000);
    while (broker.historyBytes > maxHistoryBytes) await new Promise((resolve) => setImmediate(resolve));
    expect((await broker.history("large", 0, 1, "quiet")).messages).to.have.length(1);
    await broker.close();
  });

  it("counts nothing when nothing is kept any more", async () => {
    const broker = new MemoryBroker({ maxHistoryBytes: 100_000, maxIdleChannels: 10, now: () => nowMs });
    for (let n = 0; n < 5_000; n += 1) {
      const owner = `key ${n % 3}`;
      await broker.publish(`channel ${n % 30}`, say("x".repeat(n % 300)), { owner });
    }
    nowMs += 1_000_000;
    await broker.sweep();
    expect(broker.historyBytes).to.equal(0);
    await broker.close();
  });
});
