import { expect } from "chai";
import { type Client, Clients, type FanOut, Hub, MemoryBroker } from "../../src/channels/index.ts";

describe("hub", () => {
  /** Writes down what it is told. */
  const recorder = (): { calls: unknown[][]; fanOut: FanOut } => {
    const calls: unknown[][] = [];
    const note =
      (name: string) =>
      (...args: unknown[]): void => {
        calls.push([name, ...args]);
      };
    const fanOut: FanOut = {
      admit: note("admit"),
      dismiss: note("dismiss"),
      attach: note("attach"),
      detach: note("detach"),
      watch: note("watch"),
      unwatch: note("unwatch"),
      toMembers: note("toMembers"),
      toWatchers: (...args) => {
        calls.push(["toWatchers", ...args]);
        return 0;
      },
      toEveryone: note("toEveryone"),
      toKey: (...args: unknown[]) => {
        note("toKey")(...args);
        return 0;
      },
    };
    return { calls, fanOut };
  };
  const options = {
    onFault: (error: unknown): never => {
      throw error;
    },
    deliver: () => undefined,
  };
  const client = (id: string): Client => new Clients().connect(id, null, undefined).client;

  it("does not attach a connection that left while the broker was asked", async () => {
    const broker = new MemoryBroker();
    const { calls, fanOut } = recorder();
    const hub = new Hub(broker, fanOut, options);
    hub.admit("a", client("a"));
    const joining = hub.join("a", "room", { echo: true, watch: () => true });
    expect(await hub.leave("a", "room", true)).to.equal(true);
    expect(await joining).to.equal(undefined);
    expect(calls.map(([name]) => name)).to.not.include("attach");
    expect(hub.channelCount).to.equal(0);
    await broker.close();
  });

  it("does not attach a connection that was dismissed while the broker was asked", async () => {
    const broker = new MemoryBroker();
    const { calls, fanOut } = recorder();
    const hub = new Hub(broker, fanOut, options);
    hub.admit("a", client("a"));
    const joining = hub.join("a", "room", { echo: true, watch: () => true });
    hub.dismiss(["a"]);
    expect(await joining).to.equal(undefined);
    expect(calls.map(([name]) => name)).to.not.include("attach");
    expect([hub.channelCount, hub.connectionCount]).to.deep.equal([0, 0]);
    await broker.close();
  });

  const joined = async (hub: Hub, ids: readonly string[]): Promise<void> => {
    for (const id of ids) {
      hub.admit(id, client(id));
      await hub.join(id, "room", { echo: true, watch: () => true });
    }
  };

  it("takes all of many out, of the list too, before it tells anybody of the first", async () => {
    const broker = new MemoryBroker();
    const { calls, fanOut } = recorder();
    const hub = new Hub(broker, fanOut, options);
    await joined(hub, ["a", "b", "c", "d"]);
    calls.length = 0;
    hub.dismiss(["a", "b", "c"], true);
    expect(calls.map(([name]) => name)).to.deep.equal(["dismiss", "dismiss", "dismiss"]);
    expect(await hub.members("room", { limit: 10 })).to.include({ count: 1 });
    hub.releaseLeaves();
    expect(calls.slice(3).map(([name, , event]) => [name, event])).to.deep.equal(
      Array.from({ length: 3 }, () => ["toWatchers", "channel:leave"]),
    );
    await broker.close();
  });

  it("tells a leave that is held back before anything else of the channel", async () => {
    const broker = new MemoryBroker();
    const { calls, fanOut } = recorder();
    const delivered: unknown[] = [];
    const deliver = (id: string, event: string): undefined => {
      delivered.push([id, event]);
      calls.push(["deliver"]);
    };
    const hub = new Hub(broker, fanOut, { ...options, deliver });
    await joined(hub, ["a", "b", "c"]);
    hub.dismiss(["a"], true);
    calls.length = 0;
    await joined(hub, ["d"]);
    const told = (): unknown[] => calls.filter(([name]) => name === "toWatchers").map(([, , event]) => event);
    expect(told()).to.deep.equal(["channel:leave", "channel:join"]);
    // And to one that goes of its own will and wants to hear of it, while it can.
    hub.dismiss(["b"], true);
    calls.length = 0;
    await hub.leave("c", "room", true);
    expect(calls.map(([name]) => name)).to.deep.equal(["deliver", "detach", "unwatch"]);
    expect(delivered.at(-1)).to.deep.equal(["c", "channel:leave"]);
    hub.releaseLeaves();
    expect(told().length).to.equal(2);
    hub.close();
    await broker.close();
  });

  it("leaves nothing of a join that the broker refused", async () => {
    const broker = new MemoryBroker();
    broker.subscribe = () => Promise.reject(new Error("away"));
    const { fanOut } = recorder();
    const hub = new Hub(broker, fanOut, options);
    hub.admit("a", client("a"));
    let fault: unknown;
    await hub.join("a", "room", { echo: true, watch: () => true }).catch((error: unknown) => {
      fault = error;
    });
    expect(fault).to.be.instanceOf(Error);
    expect(hub.channelsOf("a")).to.deep.equal([]);
    expect(hub.channelCount).to.equal(0);
    await broker.close();
  });

  it("replays nothing that a right withdrawn meanwhile was needed for, and tells of nobody then", async () => {
    const broker = new MemoryBroker();
    const { calls, fanOut } = recorder();
    const events: unknown[][] = [];
    let [isAllowed, read] = [true, (): void => {}];
    const deliver = (_id: string, event: string, payload: unknown): Promise<void> => {
      events.push([event, payload]);
      return new Promise((resolve) => {
        read = resolve;
      });
    };
    const hub = new Hub(broker, fanOut, { ...options, deliver });
    const say = { eventName: "say", message: 1, id: "m", from: null, timestamp: 1 };
    const first = await hub.publish("room", say, { owner: "" });
    await hub.publish("room", say, { owner: "" });
    await hub.publish("room", say, { owner: "" });
    if (typeof first === "string") throw new Error(first);
    hub.admit("a", client("a"));
    const [watch, mayReadHistory] = [() => isAllowed, () => isAllowed];
    const since = { epoch: first.epoch, offset: 1 };
    const joining = hub.join("a", "room", { echo: true, watch, since, mayReadHistory });
    while (events.length === 0) await new Promise((resolve) => setImmediate(resolve));
    isAllowed = false;
    read();
    expect(await joining).to.include({ offset: 3, recovered: false });
    expect(events.map(([event]) => event)).to.deep.equal(["say", "channel:gap"]);
    expect(events[1]?.[1]).to.include({ after: 2, before: 4, reason: "not_a_member" });
    expect(calls.map(([name]) => name)).to.not.include("watch");
    await broker.close();
  });
});
