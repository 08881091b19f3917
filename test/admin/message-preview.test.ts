import { expect } from "chai";
import fc from "fast-check";
import { previewOf } from "../../src/admin/message-preview.ts";

describe("a message's preview", () => {
  it("is its JSON where that is short enough", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(previewOf(value, 1_000_000)).to.deep.equal({ text: JSON.stringify(value), truncated: false });
      }),
    );
  });

  it("is the beginning of its JSON where that is too long", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(40), (value, maxChars) => {
        const whole = JSON.stringify(value);
        const { text, truncated } = previewOf(value, maxChars);
        expect(text).to.equal(whole.slice(0, maxChars));
        expect(truncated).to.equal(whole.length > maxChars);
      }),
    );
  });

  it("says how long binary data is", () => {
    const value = { file: Buffer.from("hello"), raw: new ArrayBuffer(3) };
    expect(previewOf(value, 100).text).to.equal('{"file":"(5 bytes)","raw":"(3 bytes)"}');
  });

  it("does not write out what it does not show", () => {
    const huge = Array.from({ length: 100_000 }, () => "x".repeat(1_000));
    let read = 0;
    const watched = new Proxy(huge, {
      get(target, name, receiver) {
        read += 1;
        return Reflect.get(target, name, receiver);
      },
    });
    expect(previewOf(watched, 4_000)).to.include({ truncated: true });
    expect(read).to.be.below(100);
  });
});
