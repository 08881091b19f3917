import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";

describe("admin API for keys", () => {
  let server: TestServer;
  before(async () => {
    const endpoints = [
      { id: "list-orders", method: "GET" as const, path: "/orders", handler: () => [] },
      { id: "files", method: "GET" as const, path: "/files/*", handler: () => [] },
    ];
    server = await startServer({ config: { endpoints } });
  });
  after(() => server.close());

  const create = (body: unknown) => server.admin("/keys", { method: "POST", body });

  it("is on the admin listener alone", async () => {
    const headers = { authorization: `Bearer ${server.adminToken}` };
    expect((await fetch(`${server.url}/admin/v1/keys`, { headers })).status).to.equal(404);
    expect((await fetch(`${server.adminUrl}/api/orders`, { headers })).status).to.equal(404);
  });

  it("wants the admin token for everything, known or not", async () => {
    for (const token of ["", "wrong", `${server.adminToken}x`, server.adminToken.slice(1)]) {
      for (const path of ["/keys", "/keys/key_1", "/endpoints", "/nowhere"]) {
        const answer = await server.admin(path, { token });
        expect(answer.status).to.equal(401);
        expect(answer.headers.get("www-authenticate")).to.match(/^Bearer/);
      }
    }
    const { status } = await server.admin("/keys", { headers: { authorization: server.adminToken } });
    expect(status).to.equal(401);
  });

  it("creates a key and shows its secret that once", async () => {
    const created = await create({ name: "  web frontend ", allowRealtime: true });
    expect(created.status).to.equal(201);
    const { id, secret, version, settings } = created.body;
    expect(secret).to.match(/^slc_[0-9A-Za-z]{38}$/);
    expect(version).to.equal(1);
    expect(settings).to.include({ name: "web frontend", allowRealtime: true, enabled: true });
    expect(created.headers.get("location")).to.equal(`/admin/v1/keys/${String(id)}`);
    const shown = await server.admin(`/keys/${String(id)}`);
    const listed = await server.admin("/keys?limit=1000");
    expect(JSON.stringify([shown.body, listed.body])).to.not.include(String(secret));
    expect(JSON.stringify([shown.body, listed.body])).to.not.match(/digest/);
    expect(shown.headers.get("etag")).to.equal('"1"');
  });

  it("names every fault of the settings by its pointer, in one answer", async () => {
    const { status, body } = await create({
      name: "x",
      allowRealtime: "yes",
      surprise: 1,
      limits: [{ name: "burst" }],
      ips: { mode: "specified", list: ["10.0.0.0/8", "10/8", "01.2.3.4"] },
      domains: { mode: "sometimes", list: [] },
      expiresAt: "2026-02-30T00:00:00Z",
    });
    expect(status).to.equal(400);
    expect(body).to.include({ code: "invalid_settings" });
    const { faults } = body;
    const pointers = Array.isArray(faults) ? faults.map(({ pointer }) => pointer) : [];
    expect(pointers).to.include.members([
      "/name",
      "/allowRealtime",
      "/surprise",
      "/limits/0/limit",
      "/limits/0/windowSeconds",
      "/ips/list/1",
      "/ips/list/2",
      "/domains/mode",
      "/expiresAt",
    ]);
  });

  it("refuses an entry below a declared wildcard and warns of one that matches nothing yet", async () => {
    const under = await create({
      name: "key",
      endpoints: { mode: "custom-allowed", list: ["GET /files/a"] },
    });
    expect(under.status).to.equal(400);
    expect(JSON.stringify(under.body)).to.include("declare it as an endpoint");
    const unknown = await create({
      name: "key",
      endpoints: { mode: "custom-allowed", list: ["GET /later"] },
    });
    expect(unknown.status).to.equal(201);
    expect(unknown.body["warnings"]).to.be.an("array").with.length(1);
  });

  it("refuses what is not an object", async () => {
    for (const body of [null, [], "text", 5, true]) {
      expect((await create(body)).status, JSON.stringify(body)).to.equal(400);
    }
    expect((await server.admin("/keys", { method: "POST" })).status).to.be.oneOf([400, 415]);
  });

  it("changes settings by a merge patch and the version that was read", async () => {
    const { id } = await server.createKey({ allowRealtime: true, expiresAt: "2030-01-01T00:00:00Z" });
    const patch = (body: unknown, headers: Record<string, string>) =>
      server.admin(`/keys/${id}`, { method: "PATCH", body, headers });
    expect((await patch({ enabled: false }, {})).status).to.equal(428);
    for (const tag of ["1", "*", 'W/"1"', '"1", "2"', '"x"']) {
      expect((await patch({ enabled: false }, { "if-match": tag })).status, tag).to.equal(400);
    }
    const stale = await patch({ enabled: false }, { "if-match": '"9"' });
    expect(stale.status).to.equal(412);
    expect(stale.body).to.include({ code: "version_conflict", currentVersion: 1 });
    const changed = await patch({ enabled: false, expiresAt: null, name: "new name" }, { "if-match": '"1"' });
    expect(changed.status).to.equal(200);
    expect(changed.headers.get("etag")).to.equal('"2"');
    expect(changed.body["settings"]).to.include({
      enabled: false,
      name: "new name",
      allowRealtime: true,
      expiresAt: null,
    });
    expect((await patch({ enabled: true }, { "if-match": '"1"' })).status).to.equal(412);
    expect((await patch({ name: null }, { "if-match": '"2"' })).status).to.equal(400);
    expect((await patch({ limits: [{ name: "burst" }] }, { "if-match": '"2"' })).status).to.equal(400);
    expect((await patch([], { "if-match": '"2"' })).status).to.equal(400);
  });

  it("refuses __proto__, constructor and prototype in a patch", async () => {
    const { id } = await server.createKey();
    for (const text of [
      '{"__proto__":{"enabled":false}}',
      '{"constructor":{"prototype":{"a":1}}}',
      '{"metadata":{"prototype":1}}',
      '{"metadata":{"a":[{"constructor":1}]}}',
    ]) {
      const response = await fetch(`${server.adminUrl}/admin/v1/keys/${id}`, {
        method: "PATCH",
        body: text,
        headers: {
          authorization: `Bearer ${server.adminToken}`,
          "content-type": "application/merge-patch+json",
          "if-match": '"1"',
        },
      });
      expect(response.status, text).to.equal(400);
    }
    expect((await server.admin(`/keys/${id}`)).body).to.include({ version: 1 });
  });

  it("deletes a key, and only at the version that is given", async () => {
    const { id } = await server.createKey();
    const remove = (headers: Record<string, string>) =>
      server.admin(`/keys/${id}`, { method: "DELETE", headers });
    expect((await remove({ "if-match": '"7"' })).status).to.equal(412);
    expect((await remove({ "if-match": "nonsense" })).status).to.equal(400);
    expect((await remove({ "if-match": '"1"' })).status).to.equal(204);
    expect((await remove({})).status).to.equal(404);
    expect((await server.admin(`/keys/${id}`)).status).to.equal(404);
  });

  it("lists in pages, in the order of creation", async () => {
    const made: string[] = [];
    for (let i = 0; i < 7; i += 1) made.push((await server.createKey({ name: `paged ${i}` })).id);
    const seen: unknown[] = [];
    let cursor = "";
    for (;;) {
      const { status, body } = await server.admin(`/keys?limit=3${cursor}`);
      expect(status).to.equal(200);
      const { items, next } = body;
      if (Array.isArray(items)) seen.push(...items.map(({ id }) => id));
      if (typeof next !== "string") break;
      cursor = `&after=${encodeURIComponent(next)}`;
    }
    expect(seen.slice(-7)).to.deep.equal(made);
    expect((await server.admin("/keys?limit=0")).status).to.equal(400);
    expect((await server.admin("/keys?limit=x")).status).to.equal(400);
    expect((await server.admin("/keys?after=nonsense")).status).to.equal(400);
  });
});
