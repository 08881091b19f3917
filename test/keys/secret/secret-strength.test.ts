import { randomBytes, randomUUID } from "node:crypto";
import { expect } from "chai";
import { createSecret } from "../../../src/keys/index.ts";
import { estimatedBits, MIN_SECRET_BITS, weaknessOf } from "../../../src/keys/secret/secret-strength.ts";

describe("the strength of an imported secret", () => {
  it("is enough for what programs make at random, in every usual form", () => {
    for (let n = 0; n < 500; n += 1) {
      for (const secret of [
        createSecret(),
        randomUUID(),
        randomUUID().replaceAll("-", ""),
        `ak-${randomBytes(16).toString("hex")}`,
        `at-${randomBytes(24).toString("hex")}`,
        randomBytes(16).toString("base64url"),
      ]) {
        expect(weaknessOf(secret), secret).to.equal(undefined);
      }
    }
  });

  it("is too little for what people type, however long", () => {
    for (const secret of [
      "a",
      "secret",
      "password123",
      "correct horse",
      "x".repeat(512),
      "abcdefghijklmnopqrstuvwxyz0123456789",
      "ak-1234567890-abcdef",
      "qwerty".repeat(20),
      "12345678901234567890123456789012",
      "00000000-0000-0000-0000-000000000001",
      "changeme-changeme",
    ]) {
      expect(estimatedBits(secret), secret).to.be.below(MIN_SECRET_BITS);
      const weakness = weaknessOf(secret) ?? "";
      expect(weakness).to.include("--allow-weak");
      if (secret.length > 6) expect(weakness).to.not.include(secret);
    }
  });
});
