import { expect } from "chai";
import { TokenBucket } from "../../src/lib/token-bucket.ts";

const RATE = { capacity: 10, perSecond: 5 };

describe("a token bucket", () => {
  it("gives its whole capacity at once, and then as much as it fills", () => {
    const bucket = new TokenBucket(RATE, 0);
    for (let i = 0; i < 10; i += 1) expect(bucket.tryTake(1, RATE, 0)).to.equal(true);
    expect(bucket.tryTake(1, RATE, 0)).to.equal(false);
    expect(bucket.tryTake(1, RATE, 199)).to.equal(false);
    expect(bucket.tryTake(1, RATE, 200)).to.equal(true);
  });

  it("tells how long a debt takes to be paid", () => {
    const bucket = new TokenBucket(RATE, 0);
    expect(bucket.take(10, RATE, 0)).to.equal(0);
    expect(bucket.take(5, RATE, 0)).to.equal(1_000);
    expect(bucket.take(0, RATE, 400)).to.equal(600);
    expect(bucket.take(0, RATE, 1_000)).to.equal(0);
  });

  it("never holds more than its capacity, however long it rests", () => {
    const bucket = new TokenBucket(RATE, 0);
    expect(bucket.isFull(RATE, 0)).to.equal(true);
    bucket.take(4, RATE, 0);
    expect(bucket.isFull(RATE, 100)).to.equal(false);
    expect(bucket.isFull(RATE, 1_000_000)).to.equal(true);
    expect(bucket.tryTake(11, RATE, 1_000_000)).to.equal(false);
  });

  it("does not empty when time seems to go back", () => {
    const bucket = new TokenBucket(RATE, 1_000);
    bucket.take(10, RATE, 1_000);
    expect(bucket.tryTake(1, RATE, 500)).to.equal(false);
    expect(bucket.tryTake(1, RATE, 1_200)).to.equal(true);
  });

  it("takes back what was not used", () => {
    const bucket = new TokenBucket(RATE, 0);
    bucket.take(10, RATE, 0);
    bucket.giveBack(3, RATE);
    expect(bucket.tryTake(3, RATE, 0)).to.equal(true);
    bucket.giveBack(100, RATE);
    expect(bucket.tryTake(10, RATE, 0)).to.equal(true);
  });
});
