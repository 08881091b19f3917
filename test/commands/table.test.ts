import { expect } from "chai";
import { displayWidth, table } from "../../src/commands/table.ts";

describe("a table on a terminal", () => {
  it("has columns as wide as the terminal draws their cells", () => {
    const names = [
      "plain",
      "\u6771\u4eac",
      "cafe\u0301",
      "\u{1f375} tea",
      "\ud55c\uad6d",
      "\uff76\uff85",
      "\u{1f468}\u{1f3fd}",
    ];
    const lines = table(
      ["NAME", "STATE"],
      names.map((name) => [name, "active"]),
    ).split("\n");
    const columns = lines.slice(1, -1).map((line) => displayWidth(line.slice(0, line.indexOf("active"))));
    expect(new Set(columns)).to.deep.equal(new Set([8]));
  });

  it("counts two columns for wide characters, one for narrow ones and none for marks", () => {
    const widths = ["abc", "\u6771\u4eac", "e\u0301", "\u{1f375}", "\u2764\ufe0f", "\uff76", "\u200b"].map(
      displayWidth,
    );
    expect(widths).to.deep.equal([3, 4, 1, 2, 2, 1, 0]);
  });
});
