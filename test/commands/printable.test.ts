import { expect } from "chai";
import { printable } from "../../src/commands/printable.ts";

describe("printable", () => {
  it("leaves text alone and makes what steers a terminal visible", () => {
    expect(printable("caf\u00e9 \u{1f375}\n\ttea")).to.equal("caf\u00e9 \u{1f375}\n\ttea");
    expect(printable("\u001b[2J\u009b31m\u007f\u202e\u2066\r")).to.equal(
      "\\u001b[2J\\u009b31m\\u007f\\u202e\\u2066\\u000d",
    );
  });
});
