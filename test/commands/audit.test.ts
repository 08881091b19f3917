import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openKeyStorage } from "../../src/keys/index.ts";
import { type Finished, runCommand } from "../helpers/command.ts";
import { startServer } from "../helpers/server.ts";

describe("sluice audit verify", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-audit-"));
  });
  after(() => rm(folder, { recursive: true }));
  const sluice = (args: readonly string[]): Promise<Finished> =>
    runCommand(["audit", "verify", ...args], { cwd: folder });

  it("says that the chain holds, and finds what somebody changed in the store", async () => {
    const store = `lmdb:${join(folder, "data")}`;
    const server = await startServer({ config: { store } });
    await server.createKey({ name: "first" });
    const { id } = await server.createKey({ name: "second" });
    await server.deleteKey(id);
    const online = await sluice(["--url", server.adminUrl, "--token", server.adminToken]);
    expect(online.code, online.stderr).to.equal(0);
    const [, head = ""] = online.stdout.match(/3 entries\. Head (3:[0-9a-f]{64})/) ?? [];
    const beside = await sluice(["--store", store, "--head", head]);
    expect(beside.code, beside.stderr).to.equal(0);
    await server.close();

    const storage = await openKeyStorage(store);
    const [, second] = await storage.range("deed:", { limit: 9 });
    const text = second?.text.replace("second", "harmless");
    await storage.commit([{ key: second?.key ?? "", text }]);
    await storage.disconnect();
    const offline = await sluice(["--store", store]);
    expect(offline.code).to.equal(1);
    expect(offline.stderr).to.include("broken at entry 3");
    const json = await sluice(["--store", store, "--json"]);
    expect(json.code).to.equal(1);
    expect(JSON.parse(json.stdout)).to.deep.include({ intact: false });
  });

  it("says what it wants when it is called wrongly", async () => {
    expect((await sluice(["--head", "3:abc"])).code).to.equal(2);
    expect((await sluice(["--store", "lmdb:./nothing"])).code).to.equal(2);
    expect((await runCommand(["audit"], { cwd: folder })).code).to.equal(2);
    expect((await runCommand(["audit", "--help"], { cwd: folder })).stdout).to.include("--head");
  });
});
