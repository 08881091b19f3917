import { expect } from "chai";
import { openKeyStore } from "../../src/keys/index.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";

const FILES = { id: "files", method: "GET", path: "/files/*", handler: () => ({ ok: true }) } as const;
const SECRET = { id: "secret", method: "GET", path: "/files/secret", handler: () => ({ ok: true }) } as const;
const EXCLUDED = { mode: "custom-excluded", list: ["GET /files/secret"] };
const PATCH = { "content-type": "application/merge-patch+json" };

describe("a key whose stored settings do not fit today's rules", () => {
  let server: TestServer;
  let key: { id: string; secret: string };
  const folder = temporaryFolder();
  const store = `lmdb:${folder.path}`;
  before(async () => {
    const earlier = await startServer({ config: { store, endpoints: [FILES, SECRET] } });
    key = await earlier.createKey({ endpoints: EXCLUDED, allowRealtime: true });
    await earlier.close();
    server = await startServer({ config: { store, endpoints: [FILES] } });
  });
  after(async () => {
    await server.close();
    folder.remove();
  });

  const read = () =>
    fetch(`${server.url}/api/files/secret`, { headers: { "x-api-key": key.secret } }).then(
      ({ status }) => status,
    );
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    server.admin(path, { method: "POST", body, headers });

  it("is narrowed, disabled and enabled, and each answer warns of the entry", async () => {
    expect(await read()).to.equal(200);
    for (const patch of [
      { allowRealtime: false },
      { domains: { mode: "specified", list: ["https://a.example.com"] } },
      { endpoints: { mode: "custom-excluded", list: ["GET /files/secret", "GET /other"] } },
      { enabled: false },
    ]) {
      const { status, body } = await server.patchKey(key.id, patch);
      expect(status, JSON.stringify(patch)).to.equal(200);
      expect(JSON.stringify(body["warnings"])).to.include("declare it as an endpoint");
    }
    expect(await read()).to.equal(401);
    expect((await server.patchKey(key.id, { enabled: true })).status).to.equal(200);
    const fresh = { endpoints: { mode: "custom-excluded", list: ["GET /files/secret", "GET /files/new"] } };
    const refused = await server.patchKey(key.id, fresh);
    expect(refused.status).to.equal(400);
    expect(refused.body["faults"]).to.be.an("array").with.length(1);
  });

  it("is previewed, duplicated and put back", async () => {
    const preview = await post(`/keys/${key.id}/preview`, { enabled: false }, PATCH);
    expect(preview.status).to.equal(200);
    expect(JSON.stringify(preview.body["warnings"])).to.include("declare it as an endpoint");
    expect((await post(`/keys/${key.id}/duplicate`, {})).status).to.equal(201);
    await server.patchKey(key.id, { endpoints: { mode: "custom-excluded", list: ["GET /other"] } });
    const { body } = await server.admin(`/keys/${key.id}`);
    expect((await post(`/keys/${key.id}/preview?version=1`, {})).status).to.equal(200);
    expect((await post(`/keys/${key.id}/preview?version=99`, {})).status).to.equal(404);
    expect((await post(`/keys/${key.id}/preview?version=x`, {})).status).to.equal(400);
    const restored = await post(
      `/keys/${key.id}/restore`,
      { version: 1 },
      { "if-match": `"${body["version"]}"` },
    );
    expect(restored.status).to.equal(200);
    expect(restored.body["settings"]).to.deep.include({ endpoints: EXCLUDED });
  });

  it("is restored from a backup with a warning, where what cannot be read is refused", async () => {
    const { body } = await server.admin("/keys/export", { method: "POST" });
    const keys: unknown[] = Array.isArray(body["keys"]) ? body["keys"] : [];
    const other = await startServer({ config: { endpoints: [FILES] } });
    try {
      const imported = await other.admin("/keys/import", { method: "POST", body: { keys } });
      expect(imported.status).to.equal(200);
      expect(JSON.stringify(imported.body["warnings"])).to.include("/0/settings/endpoints/list/0");
      expect(imported.body["moreWarnings"]).to.equal(0);
      const agnost = await other.admin("/keys/import/agnost", {
        method: "POST",
        body: [
          {
            name: "of agnost",
            key: "ak-7f3b9d0c52e841a6bb04c9d2e1f08a35",
            allowRealtime: true,
            type: "custom-excluded",
            excludedEndpoints: ["GET /files/secret"],
            domainAuthorization: "specified",
            authorizedDomains: ["https://*.github.io"],
          },
        ],
      });
      expect(agnost.status).to.equal(200);
      expect(JSON.stringify(agnost.body["warnings"]))
        .to.include("/0/excludedEndpoints/0")
        .and.to.include("/0/authorizedDomains/0");
    } finally {
      await other.close();
    }
  });

  it("is disabled also where something in it cannot be read", async () => {
    const damagedFolder = temporaryFolder();
    const url = `lmdb:${damagedFolder.path}`;
    const keys = await openKeyStore(url);
    const { record } = await keys.create({
      name: "odd",
      enabled: true,
      endpoints: { mode: "of the future" },
    });
    await keys.close();
    const odd = await startServer({ config: { store: url } });
    try {
      const { status, body } = await odd.patchKey(record.id, { enabled: false });
      expect(status).to.equal(200);
      expect(body["settings"]).to.deep.include({ enabled: false, endpoints: { mode: "of the future" } });
      expect(JSON.stringify(body["warnings"])).to.include("/endpoints/mode");
    } finally {
      await odd.close();
      damagedFolder.remove();
    }
  });

  it("is explained by the rules that it is read by", async () => {
    const settings = { name: "trial", domains: { mode: "specified", list: ["https://*.github.io"] } };
    const request = { action: "connect", origin: "https://x.github.io" };
    expect((await post("/explain", { settings, request })).status).to.equal(200);
    expect((await post("/explain", { settings: { name: 1 }, request })).status).to.equal(400);
  });
});
