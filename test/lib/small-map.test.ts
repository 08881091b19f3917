import { expect } from "chai";
import fc from "fast-check";
import { SmallMap } from "../../src/lib/small-map.ts";

const key = fc.constantFrom("", "a", "b", "c", "d");
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("set" as const), key, n: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
);

describe("small map", () => {
  it("does what a Map does, in the same order", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const [small, map] = [new SmallMap<{ n: number }>(), new Map<string, { n: number }>()];
        for (const one of steps) {
          if (one.kind === "set") {
            small.set(one.key, { n: one.n });
            map.set(one.key, { n: one.n });
          } else if (one.kind === "delete") {
            expect(small.delete(one.key)).to.equal(map.delete(one.key));
          } else {
            small.clear();
            map.clear();
          }
          expect([...small]).to.deep.equal([...map]);
          expect([...small.keys()]).to.deep.equal([...map.keys()]);
          expect(small.size).to.equal(map.size);
          for (const name of ["", "a", "b", "c", "d", "e"])
            expect(small.get(name)).to.deep.equal(map.get(name));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("may lose entries while it is gone through", () => {
    const map = new SmallMap<{ n: number }>();
    for (const [n, name] of ["a", "b", "c", "d"].entries()) map.set(name, { n });
    const seen: string[] = [];
    for (const name of map.keys()) {
      seen.push(name);
      map.delete(name);
      map.delete("c");
    }
    expect(seen).to.deep.equal(["a", "b", "d"]);
    expect(map.size).to.equal(0);
  });
});
