import { expect } from "chai";
import { fencedBlocks, substitute, tableRows } from "./documents.ts";

describe("documentation files", () => {
  it("have their blocks found below their headings, with any fence", () => {
    const markdown =
      "# A\n```js\n# no heading\n```\n## B\n~~~~\n```\n~~~\n~~~~\n- item\n\n  ```\n  x\n    y\n  ```\n";
    expect(fencedBlocks("f.md", markdown)).to.deep.equal([
      { id: "f.md > A", language: "js", text: "# no heading\n" },
      { id: "f.md > B", language: "", text: "```\n~~~\n" },
      { id: "f.md > B (2)", language: "", text: "x\n  y\n" },
    ]);
    expect(() => fencedBlocks("f.md", "```\nx")).to.throw(/not closed/);
  });

  it("must hold the placeholders that a case replaces", () => {
    expect(substitute("a KEY b KEY", { KEY: "$&" })).to.equal("a $& b $&");
    expect(() => substitute("a", { KEY: "x" })).to.throw(/"KEY" is not in/);
  });

  it("have their tables found by the head", () => {
    const markdown = "| x |\n| - |\n| 0 |\n\n| a | b |\n| --- | --- |\n| 1 | |\n| 2 | 3 |\n\ntext";
    expect(tableRows(markdown, ["a", "b"])).to.deep.equal([
      ["1", ""],
      ["2", "3"],
    ]);
    expect(() => tableRows(markdown, ["c"])).to.throw(/no table/);
  });
});
