import { EventEmitter } from "node:events";
import { expect } from "chai";
import type { Socket as EngineSocket } from "engine.io";
import { Intake } from "../../../src/realtime/flow/intake.ts";
import { Reading } from "../../../src/realtime/flow/reading.ts";

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** As much of a connection as is read. */
function fakeConn(): EngineSocket & { calls: string[] } {
  const calls: string[] = [];
  const socket = { pause: () => calls.push("pause"), resume: () => calls.push("resume") };
  const conn: unknown = Object.assign(new EventEmitter(), {
    transport: { name: "websocket", socket },
    calls,
  });
  if (!isConn(conn)) throw new Error("no connection");
  return conn;
}

function isConn(value: unknown): value is EngineSocket & { calls: string[] } {
  return value instanceof EventEmitter;
}

describe("reading", () => {
  const open = (reading: Reading, name: string, owner = name) => {
    const conn = fakeConn();
    const handedOn: unknown[] = [];
    const ended: string[] = [];
    const intake = new Intake({
      conn,
      reading,
      name,
      owner,
      handOn: (data) => handedOn.push(data),
      outbound: {
        readBytes: 0,
        unreadBytes: 0,
        aheadBytes: 1,
        untilRead: () => undefined,
        expectReading: () => {},
      },
      endAsSlow: () => {},
      endWith: ({ code }) => {
        ended.push(code);
        intake.end();
      },
    });
    return { conn, intake, handedOn, ended };
  };
  const withDefaults = (options = {}) =>
    new Reading({
      maxRequestsPerSecond: 1e9,
      maxReceivedBytesPerSecond: 1e12,
      maxWaitingBytes: 1e9,
      ...options,
    });

  it("hands on a share of what one connection sends in a turn, and the rest in the next ones, in order", async () => {
    const reading = withDefaults();
    const [greedy, modest] = [open(reading, "greedy"), open(reading, "modest")];
    const all = Array.from({ length: 1_000 }, (_, n) => `2${n}`);
    for (const packet of all) greedy.intake.receive(packet);
    expect(greedy.handedOn.length).to.equal(64);
    expect(greedy.conn.calls).to.deep.equal(["pause"]);
    for (let turn = 0; greedy.handedOn.length < 1_000; turn += 1) {
      modest.intake.receive(`2${turn}`);
      while (modest.handedOn.length <= turn) await endOfTurn();
    }
    expect(greedy.handedOn).to.deep.equal(all);
    await endOfTurn();
    expect(greedy.conn.calls).to.deep.equal(["pause", "resume"]);
    expect([reading.waitingBytes, reading.stoppedCount]).to.deep.equal([0, 0]);
    reading.close();
  });

  it("hands on one large packet at once, and the next ones when others had their turn", async () => {
    const reading = withDefaults();
    const { intake, handedOn } = open(reading, "a");
    for (let i = 0; i < 3; i += 1) intake.receive(`2${"x".repeat(300_000)}`);
    expect(handedOn.length).to.equal(1);
    while (handedOn.length < 3) await endOfTurn();
    reading.close();
  });

  it("hands on nothing behind a membership change, and keeps what comes as it is", async () => {
    const reading = withDefaults();
    const { intake, handedOn, conn } = open(reading, "a");
    let finish: (() => void) | undefined;
    const change = intake.turns.change(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    for (let i = 0; i < 10; i += 1) intake.receive("2x");
    expect(handedOn.length).to.equal(0);
    expect(reading.waitingBytes).to.be.above(0);
    expect(reading.stoppedCount).to.equal(1);
    finish?.();
    await change;
    await endOfTurn();
    await endOfTurn();
    expect(handedOn.length).to.equal(10);
    expect(conn.calls).to.deep.equal(["pause", "resume"]);
    reading.close();
  });

  it("takes one connection after the other: nobody waits for all of another's", async () => {
    const reading = withDefaults();
    const readers = ["a", "b", "c"].map((name) => open(reading, name, "key"));
    for (const { intake } of readers) for (let n = 0; n < 640; n += 1) intake.receive(`2${n}`);
    const counts = (): number[] => readers.map(({ handedOn }) => handedOn.length);
    while (Math.min(...counts()) < 640) {
      expect(Math.max(...counts()) - Math.min(...counts())).to.be.at.most(64);
      await endOfTurn();
    }
    reading.close();
  });

  it("keeps a byte of a chunk without the chunk", () => {
    const reading = withDefaults();
    const { intake, handedOn } = open(reading, "a");
    intake.receive(Buffer.alloc(64 * 1024).subarray(5, 6));
    const [byte] = handedOn;
    expect(Buffer.isBuffer(byte) && byte.buffer.byteLength).to.equal(1);
    reading.close();
  });

  it("ends the connection that waits with most of the owner that waits with most, and no other", async () => {
    const reading = withDefaults({ maxWaitingBytes: 100_000 });
    const honest = open(reading, "honest");
    const [small, large] = [open(reading, "small", "greedy"), open(reading, "large", "greedy")];
    const wait = ({ intake }: typeof honest): void => {
      intake.turns.change(() => new Promise(() => {})).catch(() => {});
    };
    for (const one of [honest, small, large]) wait(one);
    honest.intake.receive("x".repeat(20_000));
    small.intake.receive("x".repeat(10_000));
    large.intake.receive("x".repeat(30_000));
    await endOfTurn();
    expect([honest.ended, small.ended, large.ended]).to.deep.equal([[], [], ["unavailable"]]);
    expect(reading.waitingBytes).to.be.below(100_000);
    for (const { intake } of [honest, small, large]) intake.end();
    expect([reading.waitingBytes, reading.stoppedCount]).to.deep.equal([0, 0]);
    reading.close();
  });
});
