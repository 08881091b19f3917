import { expect } from "chai";
import { packetBytes } from "../../client/packet-size.ts";

const MARK = { _placeholder: true, num: 0 };

describe("the size of a packet", () => {
  it("is that of its text, or of its largest binary value", () => {
    const text = packetBytes("message", { message: "x".repeat(1_000) });
    expect(text).to.be.within(1_000, 1_100);
    expect(packetBytes("message", { message: "é".repeat(1_000) })).to.be.within(2_000, 2_100);
    for (const binary of [Buffer.alloc(5_000), new Uint8Array(5_000), new ArrayBuffer(5_000)]) {
      expect(packetBytes("message", { message: binary })).to.be.within(5_000, 5_100);
      expect(packetBytes("message", { message: [{ binary }, binary] })).to.be.within(5_000, 5_100);
    }
  });

  it("cannot be had of what looks like a mark beside a binary value, wherever that is", () => {
    const blob = Buffer.from("blob");
    for (const message of [{ blob, note: MARK }, [MARK, [blob]], { a: { b: { ...MARK, num: 99 } }, blob }])
      expect(() => packetBytes("message", { message })).to.throw(TypeError, "_placeholder");
    for (const message of [MARK, { note: MARK }, { blob }, { blob, _placeholder: false }])
      expect(packetBytes("message", { message })).to.be.below(200);
  });
});
