import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { startServer } from "../helpers/server.ts";

describe("a data folder that is deleted under a running server", () => {
  it("makes writes unavailable, and known keys no less known", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-lost-"));
    const server = await startServer({ config: { store: `lmdb:${folder}` } });
    const { secret } = await server.createKey({ allowRealtime: true });
    await rm(folder, { recursive: true });
    const refused = await server.admin("/keys", { method: "POST", body: { name: "lost" } });
    expect(refused.status).to.equal(503);
    expect(refused.body).to.include({ code: "unavailable" });
    const headers = { "x-api-key": secret };
    expect((await fetch(`${server.url}/channels/members?channel=a`, { headers })).status).to.equal(200);
    await server.close();
  });
});
