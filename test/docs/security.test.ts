import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT, readDocument, tableRows } from "./documents.ts";

describe("SECURITY.md", () => {
  it("names a test that exists for each promise", () => {
    const document = readDocument("SECURITY.md");
    const rows = ["promise", "bound"].flatMap((what) => tableRows(document, [what, "test"]));
    expect(rows.length).to.be.at.least(30);
    for (const [promise = "", test = ""] of rows) {
      const [, file = "", title = ""] = test.match(/^`(test\/[^`]+\.ts)`: (\S.*\S)$/) ?? [];
      expect(file, promise).to.not.equal("");
      expect(existsSync(join(ROOT, file)), file).to.equal(true);
      expect(hasTest(readFileSync(join(ROOT, file), "utf8"), title), `${file}: ${title}`).to.equal(true);
    }
  });
});

/** Whether a test file has a test or a suite of this title, or of one that is made of it and something else. */
function hasTest(source: string, title: string): boolean {
  const titles = source.matchAll(/\b(?:it|describe\w*)\(\s*(?:"([^"\n]*)"|`([^`]*)`)/g);
  return [...titles].some(([, whole, made = ""]) => whole === title || made.includes(title));
}
