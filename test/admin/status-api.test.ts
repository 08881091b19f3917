import { expect } from "chai";
import { loadConfig, resolveConfig } from "../../src/config/config.ts";
import { settingsInEffect } from "../../src/config/settings-in-effect.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describe("admin API about the server", () => {
  let server: TestServer;
  beforeEach(async () => {
    const endpoints = [
      { id: "list", method: "GET", path: "/list", handler: () => [] },
      { id: "make", method: "POST", path: "/make", handler: () => ({}) },
    ] as const;
    server = await startServer({ config: { endpoints, keyRequired: false, trustedProxies: ["10.0.0.0/8"] } });
  });
  afterEach(() => server.close());

  const itemsOf = (body: Record<string, unknown>): Record<string, unknown>[] =>
    Array.isArray(body["items"]) ? body["items"].map(toRecord) : [];

  it("says what runs, since when, and how it sees the caller", async () => {
    const { status, body } = await server.admin("/status");
    expect(status).to.equal(200);
    expect(body).to.deep.include({
      nodeVersion: process.version,
      publicOrigin: server.url,
      publicOrigins: [server.url, `http://127.0.0.1:${server.port}`],
      publicUrl: server.started.url,
      endpointPrefix: "/api",
      realtime: true,
      keyRequired: false,
      dev: false,
      address: "127.0.0.1",
      connections: 0,
      channels: 0,
    });
    expect(body["version"]).to.match(/^\d+\.\d+\.\d+/);
    expect(Date.parse(String(body["startedAt"]))).to.be.within(Date.now() - 60_000, Date.now());
  });

  it("counts each endpoint's calls and refusals", async () => {
    const key = await server.createKey({ endpoints: { mode: "custom-allowed", list: ["list"] } });
    const headers = { authorization: `Bearer ${key.secret}` };
    for (const method of ["GET", "GET", "HEAD"]) await fetch(`${server.url}/api/list`, { method, headers });
    await fetch(`${server.url}/api/make`, { method: "POST", headers });
    await fetch(`${server.url}/api/list`);
    expect((await server.admin("/endpoints")).body).to.deep.equal({
      items: [
        { id: "list", method: "GET", path: "/list", calls: 3, denied: 1 },
        { id: "make", method: "POST", path: "/make", calls: 0, denied: 1 },
      ],
    });
  });

  it("shows the settings in effect with what they are for, and no secret", async () => {
    const { body } = await server.admin("/settings");
    const items = itemsOf(body);
    const byName = new Map(items.map((item) => [item["name"], item]));
    expect([...byName.keys()]).to.have.members(Object.keys(resolveConfig({})));
    for (const item of items) {
      expect(item).to.have.all.keys("name", "value", "source", "environment", "description");
      expect(item["description"]).to.match(/^[A-Z].*\.$/);
    }
    expect(byName.get("keyRequired")).to.include({
      value: false,
      source: "file",
      environment: "SLUICE_KEY_REQUIRED",
    });
    expect(byName.get("trustedProxies")?.["value"]).to.deep.equal(["10.0.0.0/8"]);
    expect(byName.get("endpoints")?.["value"]).to.deep.equal(["GET /list", "POST /make"]);
    expect(byName.get("publicOrigins")?.["value"]).to.deep.equal([
      server.url,
      `http://127.0.0.1:${server.port}`,
    ]);
    expect(byName.get("adminToken")).to.include({ value: "set", source: "file" });
    expect(byName.get("logLevel")).to.include({ value: "info", source: "default" });
    expect(JSON.stringify(body)).to.not.include(server.adminToken);
  });

  it("knows of each setting which source won", async () => {
    const config = await loadConfig({
      environment: { SLUICE_PORT: "1", SLUICE_HOST: "127.0.0.2", SLUICE_LOG_LEVEL: "" },
      flags: { port: 2 },
    });
    const sources = new Map(settingsInEffect(config, ["http://x"]).map(({ name, source }) => [name, source]));
    expect(config.port).to.equal(2);
    expect(sources.get("port")).to.equal("flag");
    expect(sources.get("host")).to.equal("environment");
    expect(sources.get("logLevel")).to.equal("default");
  });

  it("hides the password of a URL", () => {
    const config = resolveConfig({ store: "redis://user:hunter2@db.example:6379/0" });
    const text = JSON.stringify(settingsInEffect(config, ["http://x"]));
    expect(text).to.not.include("hunter2");
    expect(text).to.include("redis://***:***@db.example:6379/0");
  });
});
