import { expect } from "chai";
import fc from "fast-check";
import { fingerprintOf } from "../../../src/channels/broker/fingerprint.ts";
import { PROPERTY_TIMEOUT_MS, RUNS } from "../../policy/runs.ts";

describe("the fingerprint of a message", () => {
  const bytes = (...values: number[]): Buffer => Buffer.from(values);

  it("is equal for equal bodies alone, whatever binary values they hold", () => {
    const bodies: unknown[] = [
      null,
      bytes(),
      bytes(1),
      bytes(1, 2),
      [bytes(1), bytes(2)],
      [bytes(1, 2), bytes()],
      [bytes(), bytes(1, 2)],
      [bytes(1, 2)],
      { a: bytes(1), b: null },
      { a: null, b: bytes(1) },
      { a: bytes(1) },
      { b: bytes(1) },
      [[bytes(1)], 2],
      [[bytes(1), 2]],
      [bytes(1), 2],
      // What looks like a binary value.
      { type: "Buffer", data: [1] },
      { 0: 1 },
      "\u0001",
      [{ type: "Buffer", data: [1] }, bytes(1)],
      [bytes(1), { type: "Buffer", data: [1] }],
      [bytes(1), " b1 \u0001"],
      [" b1 \u0001", bytes(1)],
    ];
    const seen = new Map(bodies.map((body) => [fingerprintOf("e", body), body]));
    expect(seen.size).to.equal(bodies.length);
    for (const body of bodies)
      expect(fingerprintOf("e", structuredClone(body))).to.equal(fingerprintOf("e", body));
    expect(fingerprintOf("other", bytes(1))).to.not.equal(fingerprintOf("e", bytes(1)));
  });

  it("does not depend on what the bytes are a view of", () => {
    const large = Buffer.from([9, 1, 2, 9]);
    const { buffer } = Uint8Array.from([1, 2]);
    const expected = fingerprintOf("e", { a: bytes(1, 2) });
    expect(fingerprintOf("e", { a: large.subarray(1, 3) })).to.equal(expected);
    expect(fingerprintOf("e", { a: buffer })).to.equal(expected);
  });

  it("differs wherever two binary messages differ", () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom<unknown>(null, 0, 1, "", "b1 ", " a1"),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", ""), tie("value"), { maxKeys: 3, noNullPrototype: true }),
      ),
    }));
    // JSON with bytes written out under a key that no generated object has.
    const plain = (one: unknown): string =>
      JSON.stringify(one, (_key, item: unknown) =>
        item instanceof Uint8Array ? { bytes: [...item], length: item.length } : item,
      );
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [one, other] = [
          [new Uint8Array(1), a],
          [new Uint8Array(1), b],
        ];
        expect(fingerprintOf("e", one) === fingerprintOf("e", other)).to.equal(plain(one) === plain(other));
      }),
      { numRuns: RUNS },
    );
  }).timeout(PROPERTY_TIMEOUT_MS);

  it("takes the bytes of a binary value as they are: none is written out", () => {
    const binary = Buffer.alloc(1024);
    binary.toJSON = () => {
      throw new Error("a binary value was written out");
    };
    expect(fingerprintOf("e", { binary })).to.be.a("string");
  });
});
