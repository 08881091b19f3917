import { expect } from "chai";
import { randomToken } from "../../src/lib/random-token.ts";

describe("random token", () => {
  it("is base64url of as many bytes as asked for", () => {
    for (const byteLength of [1, 15, 16, 24, 4_096]) {
      const token = randomToken(byteLength);
      expect(token).to.match(/^[\w-]+$/);
      expect(Buffer.from(token, "base64url").length).to.equal(byteLength);
    }
  });

  it("never comes twice, and every bit is as often set as not, over many pools", () => {
    const COUNT = 20_000;
    const BYTES = 16;
    const seen = new Set<string>();
    const ones = new Array<number>(BYTES * 8).fill(0);
    for (let i = 0; i < COUNT; i += 1) {
      const token = randomToken(BYTES);
      seen.add(token);
      for (const [at, byte] of Buffer.from(token, "base64url").entries()) {
        for (let bit = 0; bit < 8; bit += 1) {
          if ((byte >> bit) & 1) ones[at * 8 + bit] = (ones[at * 8 + bit] ?? 0) + 1;
        }
      }
    }
    expect(seen.size).to.equal(COUNT);
    // Seven standard deviations of a fair coin.
    const slack = (7 * Math.sqrt(COUNT)) / 2;
    for (const count of ones) expect(count).to.be.closeTo(COUNT / 2, slack);
  });
});
