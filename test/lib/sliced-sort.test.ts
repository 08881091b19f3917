import { expect } from "chai";
import fc from "fast-check";
import { sortInSlices } from "../../src/lib/sliced-sort.ts";

type Pair = readonly [value: number, place: number];

describe("sorting in slices", () => {
  it("gives what sort gives, and keeps the order of what is alike", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 1_000 }), async (values) => {
        const pairs = values.map((value, place): Pair => [value, place]);
        const compare = (a: Pair, b: Pair): number => a[0] - b[0];
        expect(await sortInSlices(pairs, compare)).to.deep.equal([...pairs].sort(compare));
      }),
      { numRuns: 100 },
    ));
});
