import { expect } from "chai";
import { warnOfStaleEntries } from "../../src/admin/index.ts";
import { openKeyStore } from "../../src/keys/index.ts";
import { createLogger } from "../../src/observe/log.ts";
import { parseSettings } from "../../src/policy/index.ts";

describe("stale endpoint entries", () => {
  it("are named at the start when a declaration that they relied on has gone", async () => {
    const keys = await openKeyStore("memory:");
    const list = ["GET /files/secret"];
    const { record } = await keys.create(
      parseSettings({ name: "key", endpoints: { mode: "custom-excluded", list } }),
    );
    await keys.create(parseSettings({ name: "other", endpoints: { mode: "full-access", list: [] } }));
    const lines: string[] = [];
    const log = createLogger("info", { write: (line: string) => lines.push(line) });
    const files = { id: "files", method: "GET", path: "/files/*" };
    await warnOfStaleEntries(keys, [files], log, () => false);
    expect(lines.length).to.equal(1);
    expect(lines[0]).to.include(record.id).and.to.include("declare it as an endpoint");
    await warnOfStaleEntries(
      keys,
      [files, { id: "secret", method: "GET", path: "/files/secret" }],
      log,
      () => false,
    );
    expect(lines.length).to.equal(1);
    await keys.close();
  });
});
