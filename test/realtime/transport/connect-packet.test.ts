import { expect } from "chai";
import fc from "fast-check";
import { parseAuth, splitConnect } from "../../../src/realtime/transport/connect-packet.ts";

/** What the rule says, read the long way. */
function objectOrNothing(text: string): unknown {
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

describe("the CONNECT packet", () => {
  it("has a namespace and an auth", () => {
    expect(splitConnect('0{"a":1}')).to.deep.equal({ namespace: "/", auth: '{"a":1}' });
    expect(splitConnect('0/admin,{"a":1}')).to.deep.equal({ namespace: "/admin", auth: '{"a":1}' });
    expect(splitConnect("0/admin")).to.deep.equal({ namespace: "/admin", auth: "" });
  });

  it("has an object or nothing as auth, whatever is written there", () => {
    const pieces = [
      "{",
      "}",
      '"',
      ":",
      ",",
      "true",
      "false",
      "null",
      "1",
      "[",
      "]",
      "\\",
      "a",
      "-",
      " ",
      "é",
      "\n",
      "\u2028",
    ];
    const field = fc.constantFrom('"a":"b"', '"apiKey":"slc_x-1"', '"e":true', '"r":null', '"n":1', '"":""');
    const text = fc.oneof(
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join("")),
      fc.array(field).map((fields) => `{${fields.join(",")}}`),
      fc.tuple(fc.array(field), fc.constantFrom(...pieces), fc.nat(40)).map(([fields, piece, at]) => {
        const whole = `{${fields.join(",")}}`;
        return whole.slice(0, at) + piece + whole.slice(at);
      }),
      fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, (auth) => {
        expect(parseAuth(auth), auth).to.deep.equal(objectOrNothing(auth));
      }),
      { numRuns: 5_000 },
    );
  });
});
