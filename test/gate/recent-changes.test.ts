import { expect } from "chai";
import { RecentChanges } from "../../src/gate/recent-changes.ts";

describe("recent changes", () => {
  it("tell a look-up what changed since it began, and nothing else", () => {
    const changes = new RecentChanges();
    changes.note("before");
    const since = changes.begin();
    changes.note("a");
    expect(["before", "a", "b"].map((name) => changes.has(name, since))).to.deep.equal([false, true, false]);
    const later = changes.now;
    expect(changes.has("a", later)).to.equal(false);
    changes.note("a");
    expect(changes.has("a", later)).to.equal(true);
  });

  it("are remembered for as long as anybody looks", () => {
    const changes = new RecentChanges();
    const first = changes.begin();
    changes.note("a");
    const second = changes.begin();
    changes.end();
    expect(changes.has("a", first)).to.equal(true);
    expect(changes.has("a", second)).to.equal(false);
    changes.end();
    const third = changes.begin();
    changes.note("b");
    expect(changes.has("a", third)).to.equal(false);
    expect(changes.has("b", third)).to.equal(true);
  });

  it("count everything as changed once they are too many to tell apart", () => {
    const changes = new RecentChanges();
    const since = changes.begin();
    for (let i = 0; i <= 1_000; i += 1) changes.note(`key ${i}`);
    expect(changes.has("another", since)).to.equal(true);
    expect(changes.has("key 1", since)).to.equal(true);
    expect(changes.has("another", changes.now)).to.equal(false);
  });
});
