import { expect } from "chai";
import fc from "fast-check";
import {
  createSecret,
  digestOf,
  hasValidChecksum,
  hintOf,
  isPossibleSecret,
} from "../../../src/keys/index.ts";
import { BASE62, crc32, toBase62 } from "../../../src/keys/secret/secret.ts";

const base62 = fc.constantFrom(...BASE62);

describe("secret", () => {
  it("has its form, is valid and is another one each time", () => {
    const secrets = new Set(Array.from({ length: 1000 }, createSecret));
    expect(secrets.size).to.equal(1000);
    for (const secret of secrets) {
      expect(secret).to.match(/^slc_[0-9A-Za-z]{38}$/);
      expect(hasValidChecksum(secret)).to.equal(true);
      expect(isPossibleSecret(secret)).to.equal(true);
    }
  });

  it("uses each base62 character as often as any other", () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 4000; n += 1) {
      for (const character of createSecret().slice(4, 36))
        counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    // 128,000 characters: 2,065 of each, standard deviation 45. A modulo of bytes would give 8 of them 2,500.
    expect(counts.size).to.equal(62);
    expect(Math.max(...counts.values())).to.be.below(2065 + 6 * 45);
    expect(Math.min(...counts.values())).to.be.above(2065 - 6 * 45);
  });

  it("computes CRC-32 as everybody does, and pads it", () => {
    expect(crc32("")).to.equal(0);
    expect(crc32("123456789")).to.equal(0xcbf43926);
    expect(crc32("The quick brown fox jumps over the lazy dog")).to.equal(0x414fa339);
    expect(toBase62(0, 6)).to.equal("000000");
    expect(toBase62(61, 6)).to.equal("00000z");
    expect(toBase62(0xffffffff, 6)).to.equal("4gfFC3");
    // Fixed by the format: secrets that are out there stay valid.
    expect(hasValidChecksum(`slc_${"0".repeat(32)}${toBase62(crc32(`slc_${"0".repeat(32)}`), 6)}`)).to.equal(
      true,
    );
  });

  it("notices every single wrong character and every swap of neighbours", () => {
    fc.assert(
      fc.property(fc.nat(37), base62, (at, character) => {
        const secret = createSecret();
        const place = 4 + at;
        const wrong = secret.slice(0, place) + character + secret.slice(place + 1);
        expect(isPossibleSecret(wrong)).to.equal(wrong === secret);
        const swapped =
          secret.slice(0, place) +
          secret.slice(place + 1, place + 2) +
          secret.charAt(place) +
          secret.slice(place + 2);
        expect(isPossibleSecret(swapped)).to.equal(swapped === secret);
      }),
      { numRuns: 1000 },
    );
  });

  it("takes no text with our prefix for a secret that it did not make", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        expect(isPossibleSecret(`slc_${text}`)).to.equal(false);
      }),
    );
  });

  it("takes other forms as they are, within bounds", () => {
    for (const secret of ["x", "ak-123", "agnost key with spaces", "schlüssel", "SLC_abc", "x".repeat(512)]) {
      expect(isPossibleSecret(secret), secret).to.equal(true);
    }
    for (const secret of ["", " x", "x\t", "x\0y", "\ud800", "x".repeat(513), 1, null, undefined, ["x"]]) {
      expect(isPossibleSecret(secret), String(secret)).to.equal(false);
    }
  });

  it("has a digest of 43 characters that depends on every character", () => {
    expect(digestOf("abc")).to.equal("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (one, other) => {
        expect(digestOf(one) === digestOf(other)).to.equal(one === other);
      }),
    );
  });

  it("shows 8 characters as a hint, of a short one never more than a quarter", () => {
    const secret = createSecret();
    expect(hintOf(secret)).to.equal(`${secret.slice(0, 8)}…`);
    expect(hintOf("abc")).to.equal("…");
    expect(hintOf("abcdefgh")).to.equal("ab…");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 600 }), (text) => {
        const hint = hintOf(text);
        expect(hint.isWellFormed()).to.equal(text.isWellFormed());
        const shown = hint.slice(0, -1);
        expect(text.startsWith(shown)).to.equal(true);
        expect(Array.from(shown).length).to.be.at.most(Math.min(8, Array.from(text).length / 4));
      }),
    );
  });
});
