import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT } from "../docs/documents.ts";

type Run = { readonly code: number; readonly lines: readonly string[] };

/** Run CI's script with an npm that does what is said: `case` branches of a shell. */
function runCi(branches: string): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-ci-"));
  const program = `#!/bin/sh\ncase "$*" in\n${branches}\nesac\n`;
  writeFileSync(join(folder, "npm"), program, { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}:${process.env["PATH"]}`, SUMMARY_SECONDS: "1" };
  return new Promise((resolve) => {
    execFile("bash", [join(ROOT, ".ci", "run")], { env }, (error, stdout) => {
      rmSync(folder, { recursive: true });
      resolve({ code: error === null ? 0 : Number(error.code), lines: stdout.trimEnd().split("\n") });
    });
  });
}

describe("CI", () => {
  it("counts every test and every gate", async () => {
    const { code, lines } = await runCi('test) echo "  12 passing (3s)";;');
    expect({ code, last: lines.at(-1) }).to.deep.equal({ code: 0, last: "19 passed, 0 failed" });
  });

  it("counts the tests that failed and the gates that did, by name", async () => {
    const { code, lines } = await runCi(
      `test) echo "  12 passing (3s)"; echo "  2 failing"; exit 2;;
       *lint*) exit 1;;
       *regression*) exit 1;;`,
    );
    expect({ code, last: lines.at(-1) }).to.deep.equal({ code: 1, last: "17 passed, 4 failed" });
    expect(lines).to.include.members(["== lint FAILED", "== regression FAILED"]);
  });

  it("repeats what failed at its end, where whoever sees only the end of its output finds it", async () => {
    const { lines } = await runCi(
      `test) echo "  12 passing (3s)"; echo "  1 failing"; echo "  1) a title"; exit 1;;
       *lint*) echo "a fault of style"; exit 1;;`,
    );
    const end = lines.slice(lines.lastIndexOf("== regression") + 1);
    expect(end).to.include.members(["a fault of style", "== the tests that failed", "  1) a title"]);
  });

  it("fails when no test ran, and when the test command failed after all tests passed", async () => {
    const [none, failed] = await Promise.all([
      runCi("test) exit 0;;"),
      runCi('test) echo "  12 passing (3s)"; exit 7;;'),
    ]);
    expect(none.lines.slice(-1)).to.deep.equal(["7 passed, 1 failed"]);
    expect(none.lines).to.include("== no test ran");
    expect(failed.lines.slice(-1)).to.deep.equal(["19 passed, 1 failed"]);
    expect(failed.lines).to.include("== the test command ended with 7");
  });

  it("fails, by name, when the tests do not end after their summary, and goes on", async () => {
    const { code, lines } = await runCi('test) echo "  12 passing (3s)"; sleep 60;;');
    expect({ code, last: lines.at(-1) }).to.deep.equal({ code: 1, last: "19 passed, 1 failed" });
    expect(lines).to.include("== the tests' process did not end by itself after its summary");
  });
});
