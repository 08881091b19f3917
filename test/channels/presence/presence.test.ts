import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import type { FanOut } from "../../../src/channels/index.ts";
import { Presence } from "../../../src/channels/presence/presence.ts";

/** Only what a test waits for is told: the rest of a fan-out is not used here. */
class Told implements FanOut {
  readonly events: { event: string; payload: unknown }[] = [];
  #onTold: (() => void) | undefined;

  toWatchers(_channel: string, event: string, payload: unknown): number {
    this.events.push({ event, payload });
    this.#onTold?.();
    return 100;
  }

  /** Resolves with the number of events so far, once there are so many. */
  async until(count: number): Promise<void> {
    if (this.events.length >= count) return;
    await new Promise<void>((resolve) => {
      this.#onTold = () => {
        if (this.events.length >= count) resolve();
      };
    });
  }

  admit(): void {}
  dismiss(): void {}
  attach(): void {}
  detach(): void {}
  watch(): void {}
  unwatch(): void {}
  toMembers(): void {}
  toEveryone(): void {}
  toKey(): number {
    return 0;
  }
}

describe("presence", () => {
  let told: Told;
  let presence: Presence;
  const presenceOf = (fanOut: FanOut, maxMembersOf: (channel: string) => number): Presence =>
    new Presence({
      fanOut,
      maxMembersOf,
      watchersOf: () => 10,
      isWatching: () => false,
      deliver: () => {},
    });
  const change = (type: "join" | "leave" | "update", id: string) => ({
    type,
    member: { id, clientId: id, data: null },
  });
  const names = (): string[] => told.events.map(({ event }) => event);

  beforeEach(() => {
    told = new Told();
    presence = presenceOf(told, (channel) => (channel === "none" ? 0 : 3));
  });
  afterEach(() => presence.close());

  it("tells of each up to the bound, and with the first beyond it only the number", () => {
    for (const [at, id] of ["a", "b", "c", "d"].entries()) {
      presence.take("room", [change("join", id)], at + 1);
    }
    expect(names()).to.deep.equal(["channel:join", "channel:join", "channel:join", "channel:presence"]);
    expect(told.events[3]?.payload).to.deep.equal({ channel: "room", count: 4, mode: "counts" });
  });

  it("tells the newest number once for all changes of a second", async () => {
    for (let count = 1; count <= 4; count += 1) presence.take("room", [change("join", "m")], count);
    const sinceMs = performance.now();
    for (let count = 5; count <= 2_000; count += 1) presence.take("room", [change("join", "m")], count);
    presence.take("room", [change("update", "m")], 2_000);
    expect(told.events.length).to.equal(4);
    await told.until(5);
    // A timer may ring a millisecond early.
    expect(performance.now() - sinceMs).to.be.at.least(990);
    expect(told.events[4]?.payload).to.deep.equal({ channel: "room", count: 2_000, mode: "counts" });
  });

  it("says so when it tells of each again, and does so from then on", async () => {
    for (let count = 1; count <= 4; count += 1) presence.take("room", [change("join", "m")], count);
    // The bound is crossed to and fro: one notice.
    for (const count of [3, 4, 3, 2]) presence.take("room", [change("leave", "m")], count);
    await told.until(5);
    expect(told.events[4]?.payload).to.deep.equal({ channel: "room", count: 2, mode: "events" });
    presence.take("room", [change("join", "n")], 3);
    presence.take("room", [change("leave", "n")], 2);
    expect(names().slice(5)).to.deep.equal(["channel:join", "channel:leave"]);
  });

  it("tells of nobody where the bound is 0", () => {
    presence.take("none", [change("join", "a")], 1);
    expect(names()).to.deep.equal(["channel:presence"]);
  });

  it("tells what was held back before the number takes its place", () => {
    for (let count = 1; count <= 3; count += 1) presence.take("room", [change("join", "m")], count);
    presence.hold();
    presence.take("room", [change("leave", "a")], 2);
    presence.take("room", [change("join", "b"), change("join", "c")], 4);
    expect(names().slice(3)).to.deep.equal(["channel:leave", "channel:presence"]);
  });

  it("tells the numbers of many channels one in a turn, and none while leaves are held", async () => {
    const channels = Array.from({ length: 10 }, (_, index) => `room:${index}`);
    for (const channel of channels) presence.take(channel, [change("join", "m")], 4);
    presence.hold();
    for (const channel of channels) presence.take(channel, [change("leave", "m")], 3);
    // Somebody else's number that is due later has been told: theirs were due.
    const later = new Told();
    const other = presenceOf(later, () => 3);
    other.take("later", [change("join", "m")], 4);
    other.take("later", [change("leave", "m")], 3);
    await later.until(2);
    other.close();
    expect(told.events.length).to.equal(10);
    const perTurn: number[] = [];
    let before = told.events.length;
    presence.release();
    while (told.events.length < 20) {
      await nextTurn();
      perTurn.push(told.events.length - before);
      before = told.events.length;
    }
    expect(Math.max(...perTurn)).to.equal(1);
    expect(told.events.slice(10).map(({ payload }) => Object(payload).channel)).to.have.members(channels);
  });

  it("tells the leaves of thousands in slices, in their order", async () => {
    const many = presenceOf(told, () => 100_000);
    const ids = Array.from({ length: 20_000 }, (_, index) => String(index));
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (told.events.length < ids.length) setImmediate(count);
    };
    setImmediate(count);
    many.take(
      "room",
      ids.map((id) => change("leave", id)),
      0,
    );
    await told.until(ids.length);
    expect(turns).to.be.above(1);
    expect(told.events.map(({ payload }) => payload)).to.deep.equal(
      ids.map((id) => ({ channel: "room", message: { id, clientId: id, data: null } })),
    );
    many.close();
  });

  it("forgets a channel that nobody here is in any more", () => {
    for (let count = 1; count <= 5; count += 1) presence.take("room", [change("join", "m")], count);
    presence.forget("room");
    presence.take("room", [change("join", "m")], 1);
    expect(names().at(-1)).to.equal("channel:join");
  });
});
