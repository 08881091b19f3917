import { expect } from "chai";
import fc from "fast-check";
import { jsonMessage } from "../../src/http/json-message.ts";

/** Follows an RFC 6901 pointer, written here anew. */
function at(value: unknown, pointer: string): unknown {
  let found: unknown = value;
  for (const token of pointer.split("/").slice(1)) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    found = typeof found === "object" && found !== null ? Reflect.get(found, name) : undefined;
  }
  return found;
}

function binaryValues(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(binaryValues);
}

describe("a message over HTTP", () => {
  it("has its binary values as base64, and pointers to exactly those", () => {
    const bytes = fc.uint8Array({ maxLength: 20 });
    const { message } = fc.letrec((tie) => ({
      message: fc.oneof(
        { maxDepth: 3 },
        bytes,
        fc.string(),
        fc.constantFrom(1, null, true),
        fc.array(tie("message"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("a", "b/c", "d~e", "", "__proto__x"), tie("message"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(message, (value) => {
        const sent = jsonMessage(value);
        const received: unknown = JSON.parse(JSON.stringify(sent.message));
        const found = (sent.binary ?? []).map((pointer) =>
          Buffer.from(String(at(received, pointer)), "base64"),
        );
        const expected = binaryValues(value).map((one) => Buffer.from(one));
        expect(found).to.deep.equal(expected);
        expect(sent.binary === undefined).to.equal(expected.length === 0);
      }),
    );
  });
});
