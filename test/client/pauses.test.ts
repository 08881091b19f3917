import { expect } from "chai";
import { Backoff } from "../../client/backoff.ts";
import { packetBytes } from "../../client/packet-size.ts";
import { callAfter } from "../../client/timer.ts";

describe("the client's pauses between tries", () => {
  it("are spread over their whole length, also when they have grown to the longest", () => {
    for (const failures of [0, 3, 8, 50]) {
      const pauses = Array.from({ length: 400 }, () => {
        const backoff = new Backoff();
        for (let i = 0; i < failures; i += 1) backoff.nextMs(undefined);
        return backoff.nextMs(undefined);
      });
      const boundMs = Math.min(30_000, 1_000 * 2 ** failures);
      expect(Math.max(...pauses)).to.be.at.most(boundMs);
      expect(Math.min(...pauses)).to.be.below(boundMs * 0.1);
      expect(Math.max(...pauses)).to.be.above(boundMs * 0.9);
      expect(new Set(pauses).size).to.be.above(390);
    }
  });

  it("are never shorter than the server has asked for", () => {
    const backoff = new Backoff();
    for (let i = 0; i < 50; i += 1) expect(backoff.nextMs(700)).to.be.at.least(700);
  });

  it("end a wait after its time, never after infinity, and not at once when they are longer than a timer can be", async () => {
    const ended: string[] = [];
    const cancels = [Number.POSITIVE_INFINITY, Number.NaN, 2 ** 40].map((ms) =>
      callAfter(ms, () => ended.push(String(ms))),
    );
    await new Promise<void>((resolve) => callAfter(20, resolve));
    for (const cancel of cancels) cancel();
    expect(ended).to.deep.equal([]);
  });
});

describe("the size of a packet", () => {
  it("is that of its text in UTF-8, or of its largest binary value", () => {
    expect(packetBytes("e", "ä€😀".repeat(100))).to.be.within(900, 960);
    expect(packetBytes("e", { a: new Uint8Array(5_000), b: "x" })).to.be.within(5_000, 5_100);
    expect(packetBytes("e", { a: Buffer.alloc(10) })).to.be.below(150);
  });
});
