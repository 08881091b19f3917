import { expect } from "chai";
import { printable, printableLine } from "../../src/commands/printable.ts";

describe("printable", () => {
  it("leaves text alone and makes what steers a terminal visible", () => {
    expect(printable("caf\u00e9 \u{1f375}\n\ttea")).to.equal("caf\u00e9 \u{1f375}\n\ttea");
    expect(printable("\u001b[2J\u009b31m\u007f\u202e\u2066\r")).to.equal(
      "\\u001b[2J\\u009b31m\\u007f\\u202e\\u2066\\u000d",
    );
  });

  it("leaves JSON what it was, also with characters beyond 16 bits", () => {
    const value = { text: "\u{e0001}\u{e0041}\u009b1m\u202e\n" };
    const text = printable(JSON.stringify(value));
    expect(text).to.not.match(/[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(text)).to.deep.equal(value);
  });

  it("keeps text from elsewhere in its line", () => {
    expect(printableLine("a\nImported: 1 created.\r\t\u2028b")).to.equal(
      "a\\u000aImported: 1 created.\\u000d\\u0009\\u2028b",
    );
  });
});
