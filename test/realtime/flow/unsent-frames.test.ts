import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { type SharedFrame, UnsentFrames } from "../../../src/realtime/flow/unsent-frames.ts";

const frameOf = (owner: string, bytes: number): SharedFrame => ({
  frame: Buffer.alloc(bytes),
  owner,
  holders: 0,
});

class Reader {
  readonly outbound = { unreadBytes: 0, readBytes: 0 };
  isEnded = false;

  endAsSlow(): void {
    this.isEnded = true;
  }

  /** Takes so many bytes of what it was handed. */
  read(bytes: number): void {
    this.outbound.unreadBytes -= bytes;
    this.outbound.readBytes += bytes;
  }
}

describe("frames that clients have not read", () => {
  let unsent: UnsentFrames;
  beforeEach(() => {
    unsent = new UnsentFrames(1_000_000);
  });
  afterEach(() => unsent.close());

  const hand = (reader: Reader, frame: SharedFrame): void => {
    reader.outbound.unreadBytes += frame.frame.length;
    unsent.hold(reader, [frame]);
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await delay(20);
  };

  it("count once where many share them, and are let go of as they are read", async () => {
    const readers = Array.from({ length: 10 }, () => new Reader());
    const frames = [frameOf("a", 50_000), frameOf("a", 50_000)];
    for (const frame of frames) for (const reader of readers) hand(reader, frame);
    expect(unsent.totalBytes).to.be.within(100_000, 110_000);
    for (const reader of readers) reader.read(60_000);
    await until(() => unsent.totalBytes < 55_000);
    for (const reader of readers) reader.read(40_000);
    await until(() => unsent.totalBytes === 0);
    expect(unsent.readerCount).to.equal(0);
  });

  it("are let go of with the connection", () => {
    const reader = new Reader();
    hand(reader, frameOf("a", 100));
    unsent.release(reader);
    expect([unsent.totalBytes, unsent.readerCount]).to.deep.equal([0, 0]);
  });

  it("hold up whoever's messages take most, and nobody else", () => {
    const reader = new Reader();
    hand(reader, frameOf("modest", 10_000));
    expect(unsent.refusal({ owner: "greedy" })).to.equal(undefined);
    hand(reader, frameOf("greedy", 600_000));
    expect(unsent.refusal({ owner: "greedy" })).to.include({ code: "unavailable", afterMs: 1_000 });
    expect(unsent.refusal({ owner: "modest" })).to.equal(undefined);
    expect(unsent.refusal({ owner: "other" })).to.equal(undefined);
  });

  it("end those who read nothing while the node is short of room, and none who reads", async () => {
    const [stalled, slow, quick] = [new Reader(), new Reader(), new Reader()];
    const own = frameOf("greedy", 700_000);
    hand(stalled, own);
    for (const reader of [slow, quick]) hand(reader, frameOf("modest", 100_000));
    const reading = setInterval(() => slow.read(1), 20);
    quick.read(100_000);
    await until(() => stalled.isEnded);
    clearInterval(reading);
    expect([slow.isEnded, quick.isEnded]).to.deep.equal([false, false]);
    expect(unsent.totalBytes).to.be.below(200_000);
  });
});
