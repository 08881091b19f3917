import { expect } from "chai";
import fc from "fast-check";
import { Heard } from "../../../src/channels/clients/heard.ts";

describe("what a connection has heard", () => {
  it("is known offset by offset, whatever the order in which it was heard", () => {
    const stretch = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 30 }), (stretches) => {
        const heard = new Heard("e");
        const known = new Set<number>();
        for (const [after, length] of stretches) {
          const offsets = Array.from({ length }, (_, index) => after + 1 + index);
          if (offsets.some((offset) => known.has(offset))) continue;
          for (const offset of offsets) known.add(offset);
          heard.add(after, after + length);
        }
        for (let offset = 0; offset < 50; offset += 1) {
          let end = offset;
          while (known.has(end + 1)) end += 1;
          expect(heard.endAfter(offset)).to.equal(end);
        }
      }),
    );
  });

  it("is bounded: of what is forgotten, nothing is taken for unheard", () => {
    const heard = new Heard("e");
    for (let i = 0; i < 1_000; i += 1) heard.add(2 * i, 2 * i + 1);
    expect(heard.endAfter(1_998)).to.equal(1_999);
    expect(heard.forgottenUpTo).to.be.within(1_001, 1_997);
    expect(heard.endAfter(heard.forgottenUpTo + 1)).to.equal(heard.forgottenUpTo + 2);
  });
});
