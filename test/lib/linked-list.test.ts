import { expect } from "chai";
import { Link, LinkedList } from "../../src/lib/linked-list.ts";

const valuesOf = (list: LinkedList<number>): number[] => {
  const values: number[] = [];
  for (let link = list.first; link !== undefined; link = link.next) values.push(link.value);
  return values;
};

describe("LinkedList", () => {
  it("keeps the order of an array through any appends and removals", () => {
    const list = new LinkedList<number>();
    const links = Array.from({ length: 8 }, (_, n) => new Link(n));
    let expected: number[] = [];
    let seed = 7;
    for (let step = 0; step < 2_000; step += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      const link = links[(seed >> 8) % links.length];
      if (link === undefined) throw new Error("no link");
      expected = expected.filter((value) => value !== link.value);
      if ((seed >> 16) % 3 > 0) {
        list.append(link);
        expected.push(link.value);
      } else {
        list.remove(link);
      }
      expect(valuesOf(list)).to.deep.equal(expected);
      expect(list.size).to.equal(expected.length);
    }
  });

  it("takes a link out of the list that it was in, and leaves links of others alone", () => {
    const [one, other] = [new LinkedList<number>(), new LinkedList<number>()];
    const link = new Link(1);
    one.append(link);
    other.append(link);
    one.remove(link);
    expect([valuesOf(one), valuesOf(other), one.size, other.size]).to.deep.equal([[], [1], 0, 1]);
  });
});
