import { expect } from "chai";
import { FairQueue, Held } from "../../src/lib/fair-queue.ts";

class Item extends Held<Item> {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

describe("fair queue", () => {
  /** Lets go of whatever has to give way. */
  const settle = (queue: FairQueue<Item>): string[] => {
    const gone: string[] = [];
    while (queue.isExceeded) {
      const { first } = queue;
      if (first === undefined) throw new Error("exceeded and empty");
      queue.remove(first);
      gone.push(first.name);
    }
    return gone;
  };

  it("gives up the oldest of the owner that holds most", () => {
    const queue = new FairQueue<Item>(10);
    queue.add("quiet", new Item("q1"), 3);
    for (const name of ["l1", "l2", "l3", "l4"]) queue.add("loud", new Item(name), 2);
    expect(settle(queue)).to.deep.equal(["l1"]);
    expect(queue.total).to.equal(9);
    queue.add("quiet", new Item("q2"), 4);
    expect(settle(queue)).to.deep.equal(["q1"]);
    expect([queue.amountOf("quiet"), queue.amountOf("loud")]).to.deep.equal([4, 6]);
  });

  it("takes one out of the middle, and makes one the newest again", () => {
    const queue = new FairQueue<Item>(3);
    const items = ["a", "b", "c", "d", "e"].map((name) => new Item(name));
    for (const item of items) queue.add("owner", item, 1);
    const [first, , third] = items;
    if (first === undefined || third === undefined) throw new Error("no items");
    queue.renew(first);
    queue.remove(third);
    queue.remove(third);
    expect(settle(queue)).to.deep.equal(["b"]);
    expect(queue.oldestOf("owner")?.name).to.equal("d");
    queue.add("owner", third, 1);
    expect(settle(queue)).to.deep.equal(["d"]);
  });

  it("never takes from an owner below its fair share, in ten thousand random steps", () => {
    const queue = new FairQueue<Item>(1_000);
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let step = 0; step < 10_000; step += 1) {
      // Some are louder than others.
      const owner = `owner ${Math.min(random(12), random(12))}`;
      queue.add(owner, new Item(`${step}`), 1 + random(40));
      while (queue.isExceeded) {
        const { first } = queue;
        const name = first?.queue?.owner ?? "";
        const owners = [...queue.owners()].length;
        expect(queue.amountOf(name)).to.be.above(1_000 / owners);
        if (first !== undefined) queue.remove(first);
      }
    }
    expect(queue.total).to.be.within(900, 1_000);
  });
});
