import { expect } from "chai";
import fc from "fast-check";
import { type NodeFanOut, RoomFanOut } from "../../../src/realtime/fan-out/fan-out.ts";
import { FastFanOut } from "../../../src/realtime/fan-out/fast-fan-out.ts";
import { seamFault } from "../../../src/realtime/transport/seam-check.ts";
import { endOfTurn, events, type Player, Stage, settle, slowDown } from "./fan-out-stage.ts";

describe("fan-out", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = new Stage();
    await stage.open();
  });
  afterEach(() => stage.close());

  for (const kind of ["fast", "over rooms"] as const) {
    describe(kind, () => {
      let fanOut: NodeFanOut;
      let ann: Player;
      let bob: Player;
      beforeEach(async () => {
        fanOut = stage.fanOut(kind === "fast" ? undefined : "a reason");
        [ann, bob] = [await stage.enter(), await stage.enter()];
        for (const { server } of [ann, bob]) fanOut.admit(server.id, null);
      });
      afterEach(() => fanOut.close());

      it("reaches members, watchers and everyone, but the one who is left out", async () => {
        fanOut.attach(ann.server.id, "a");
        fanOut.attach(bob.server.id, "a");
        fanOut.watch(bob.server.id, "a");
        fanOut.toMembers("a", "one", { é: "ü" });
        fanOut.toWatchers("a", "two", 2);
        fanOut.toEveryone("three", null);
        fanOut.toMembers("a", "four", 4, ann.server.id);
        fanOut.toMembers("b", "five", 5);
        fanOut.toEveryone("six", 6, bob.server.id);
        for (const player of [ann, bob]) await settle(player);
        expect(events(ann)).to.deep.equal([
          ["one", { é: "ü" }],
          ["three", null],
          ["six", 6],
        ]);
        expect(events(bob)).to.deep.equal([
          ["one", { é: "ü" }],
          ["two", 2],
          ["three", null],
          ["four", 4],
        ]);
      });

      it("keeps the order of channels, binary, other packets and changes of membership", async () => {
        const { id } = ann.server;
        fanOut.toMembers("a", "before", 0);
        fanOut.attach(id, "a");
        fanOut.toMembers("a", "m", 1);
        fanOut.attach(id, "b");
        fanOut.toMembers("b", "m", { bytes: Buffer.from([1, 2]), view: new Uint8Array([3]) });
        fanOut.toMembers("a", "m", "x".repeat(70_000));
        fanOut.toMembers("b", "m", "y".repeat(200));
        ann.server.emit("other", 4);
        fanOut.toMembers("a", "m", 5);
        fanOut.detach(id, "a");
        fanOut.toMembers("a", "after", 6);
        fanOut.toMembers("b", "m", 7);
        fanOut.dismiss(id);
        fanOut.toMembers("b", "after", 8);
        fanOut.toEveryone("after", 9);
        await settle(ann);
        expect(events(ann)).to.deep.equal([
          ["m", 1],
          ["m", { bytes: Buffer.from([1, 2]), view: Buffer.from([3]) }],
          ["m", "x".repeat(70_000)],
          ["m", "y".repeat(200)],
          ["other", 4],
          ["m", 5],
          ["m", 7],
        ]);
      });
    });
  }

  it("lets what comes in the turn after a long flush go together with the next turn's", async () => {
    const fanOut = stage.fastFanOut();
    const ann = await stage.enter();
    fanOut.admit(ann.server.id, null);
    fanOut.attach(ann.server.id, "a");
    slowDown(ann, 24);
    const writes: number[] = [];
    const expected: unknown[] = [];
    const say = (n: number): void => {
      expected.push(["m", n]);
      fanOut.toMembers("a", "m", n);
    };
    // A machine that is busy elsewhere may let the 5 ms pass between two turns, but not each time.
    for (let round = 0; round < 8; round += 1) {
      say(round);
      say(round + 0.25);
      fanOut.flush();
      ann.takeWrites();
      say(round + 0.5);
      await endOfTurn();
      say(round + 0.75);
      fanOut.flush();
      writes.push(ann.takeWrites());
    }
    await settle(ann);
    expect(events(ann)).to.deep.equal(expected);
    expect(writes).to.include(1);
  });

  it("does not wait after a long flush of one message, since nobody publishes beside it", async () => {
    const fanOut = stage.fastFanOut();
    const ann = await stage.enter();
    fanOut.admit(ann.server.id, null);
    fanOut.attach(ann.server.id, "a");
    slowDown(ann, 24);
    for (let round = 0; round < 3; round += 1) {
      fanOut.toMembers("a", "m", round);
      fanOut.flush();
      ann.takeWrites();
      fanOut.toMembers("a", "m", round + 0.5);
      await endOfTurn();
      expect(ann.takeWrites()).to.equal(1);
    }
  });

  it("writes once to each member for all of a turn, over several channels too", async () => {
    const fanOut = stage.fanOut();
    expect(fanOut).to.be.instanceOf(FastFanOut);
    const [ann, bob] = [await stage.enter(), await stage.enter()];
    for (const { server } of [ann, bob]) {
      fanOut.admit(server.id, null);
      fanOut.attach(server.id, "a");
    }
    fanOut.attach(bob.server.id, "b");
    for (let i = 0; i < 10; i += 1) fanOut.toMembers("a", "m", i);
    await endOfTurn();
    expect([ann.takeWrites(), bob.takeWrites()]).to.deep.equal([1, 1]);
    for (let i = 10; i < 20; i += 1) fanOut.toMembers(i % 2 === 0 ? "a" : "b", "m", i);
    await endOfTurn();
    expect([ann.takeWrites(), bob.takeWrites()]).to.deep.equal([1, 1]);
    for (const player of [ann, bob]) await settle(player);
    const numbers = Array.from({ length: 20 }, (_, i) => ["m", i]);
    expect(events(bob)).to.deep.equal(numbers);
    expect(events(ann)).to.deep.equal(numbers.filter((_, i) => i < 10 || i % 2 === 0));
    fanOut.close();
  });

  it("sends each member what is for it, in the order of the calls, whatever comes and goes in a turn", async () => {
    const [CHANNELS, PLAYERS] = [["a", "b", "c", "d", "e"], 4];
    const fanOut = stage.fastFanOut();
    const players: Player[] = [];
    while (players.length < PLAYERS) players.push(await stage.enter());
    const who = fc.nat({ max: PLAYERS - 1 });
    const channel = fc.constantFrom(...CHANNELS);
    const step = fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({ do: fc.constant("say" as const), channel, except: fc.option(who) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("all" as const), except: fc.option(who) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("key" as const),
          keyId: fc.constantFrom("key_1", "key_2", null),
          except: fc.option(who),
        }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("attach", "detach", "watch"), who, channel }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("own", "dismiss", "admit"), who }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("flush", "turn") }) },
    );
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const seats = players.map((player, index) => ({
          keyId: index < 2 ? "key_1" : null,
          ...{ player, id: player.server.id, isIn: false, expected: Array.of<unknown>() },
          ...{ members: new Set<string>(), watched: new Set<string>() },
        }));
        const admit = (seat: (typeof seats)[number]): void => {
          fanOut.admit(seat.id, seat.keyId);
          seat.isIn = true;
        };
        for (const seat of seats) {
          seat.player.heard.length = 0;
          admit(seat);
          for (const name of CHANNELS) {
            fanOut.attach(seat.id, name);
            seat.members.add(name);
          }
        }
        for (const one of steps) {
          n += 1;
          const seat = "who" in one ? seats[one.who] : undefined;
          const except = "except" in one && one.except !== null ? seats[one.except]?.id : undefined;
          if (one.do === "say") {
            fanOut.toMembers(one.channel, "m", n, except);
            fanOut.toWatchers(one.channel, "w", n, except);
            for (const { id, isIn, members, watched, expected } of seats) {
              if (isIn && id !== except && members.has(one.channel)) expected.push(["m", n]);
              if (isIn && id !== except && watched.has(one.channel)) expected.push(["w", n]);
            }
          } else if (one.do === "all") {
            fanOut.toEveryone("all", n, except);
            for (const { id, isIn, expected } of seats) if (isIn && id !== except) expected.push(["all", n]);
          } else if (one.do === "key") {
            const hearers = seats.filter(
              ({ id, isIn, keyId }) => isIn && keyId === one.keyId && id !== except,
            );
            expect(fanOut.toKey(one.keyId, "key", n, except)).to.equal(hearers.length);
            for (const { expected } of hearers) expected.push(["key", n]);
          } else if (one.do === "turn") {
            await endOfTurn();
          } else if (one.do === "flush") {
            fanOut.flush();
          } else if (seat !== undefined && "channel" in one) {
            if (one.do === "attach") fanOut.attach(seat.id, one.channel);
            else if (one.do === "detach") fanOut.detach(seat.id, one.channel);
            else fanOut.watch(seat.id, one.channel);
            if (one.do === "detach") seat.members.delete(one.channel);
            else if (seat.isIn) (one.do === "attach" ? seat.members : seat.watched).add(one.channel);
          } else if (seat !== undefined && one.do === "own") {
            seat.player.server.emit("own", n);
            seat.expected.push(["own", n]);
          } else if (seat !== undefined && one.do === "dismiss") {
            fanOut.dismiss(seat.id);
            seat.isIn = false;
            seat.members.clear();
            seat.watched.clear();
          } else if (seat !== undefined) admit(seat);
        }
        for (const { player, id, expected } of seats) {
          fanOut.dismiss(id);
          await settle(player);
          expect(events(player)).to.deep.equal(expected);
        }
        expect(fanOut.size).to.equal(0);
      }),
      { numRuns: 200 },
    );
    fanOut.close();
  });

  it("keeps nothing of those who left", async () => {
    const fanOut = stage.fanOut();
    if (!(fanOut instanceof FastFanOut)) throw new Error("not the fast one");
    const { server } = await stage.enter();
    fanOut.admit(server.id, null);
    fanOut.attach(server.id, "a");
    fanOut.watch(server.id, "a");
    fanOut.detach(server.id, "a");
    expect(fanOut.size).to.equal(2);
    fanOut.dismiss(server.id);
    expect(fanOut.size).to.equal(0);
    fanOut.attach(server.id, "a");
    expect(fanOut.size).to.equal(0);
    fanOut.close();
  });

  it("is fast with the packages as they are, and goes over rooms, with a word in the log, when they are not", () => {
    expect(seamFault(stage.io.of("/"))).to.equal(undefined);
    const { encoder } = stage.io;
    const encode = encoder.encode.bind(encoder);
    encoder.encode = (packet) => encode(packet).map((part: unknown) => `${part}!`);
    expect(stage.fanOut()).to.be.instanceOf(RoomFanOut);
    expect(stage.logged).to.deep.equal([{ fault: "socket.io: Encoder.encode writes events in another way" }]);
    Reflect.deleteProperty(encoder, "encode");
  });

  it("notices an engine that does not say when a packet is queued, or queues it elsewhere", async () => {
    const { Socket } = await import("engine.io");
    const emit = Socket.prototype.emit;
    Reflect.set(Socket.prototype, "emit", function (this: object, name: string, ...args: unknown[]) {
      return name === "packetCreate" || Reflect.apply(emit, this, [name, ...args]);
    });
    try {
      expect(seamFault(stage.io.of("/"))).to.match(/packetCreate/);
    } finally {
      Reflect.deleteProperty(Socket.prototype, "emit");
    }
    expect(seamFault(stage.io.of("/"))).to.equal(undefined);
  });
});
