import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT, readDocument } from "./documents.ts";

describe("README.md's first program", () => {
  it("compiles in strict TypeScript with the client's types", () => {
    const [, script = ""] = readDocument("README.md").match(/<script>\n([\s\S]*?)<\/script>/) ?? [];
    expect(script).to.include("message.text");
    const folder = mkdtempSync(join(tmpdir(), "sluice-strict-"));
    try {
      writeFileSync(join(folder, "page.ts"), `import * as sluice from "sluice/client";\n${script}`);
      const options = {
        strict: true,
        noEmit: true,
        target: "es2022",
        module: "esnext",
        moduleResolution: "bundler",
        lib: ["es2024", "dom", "dom.iterable"],
        types: [],
        skipLibCheck: true,
        allowImportingTsExtensions: true,
        paths: { "sluice/client": [join(ROOT, "client", "index.ts")] },
      };
      writeFileSync(
        join(folder, "tsconfig.json"),
        JSON.stringify({ compilerOptions: options, files: ["page.ts"] }),
      );
      const { status, stdout } = spawnSync(join(ROOT, "node_modules", ".bin", "tsc"), ["-p", folder], {
        encoding: "utf8",
      });
      expect(stdout).to.equal("");
      expect(status).to.equal(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }).timeout(60_000);
});
