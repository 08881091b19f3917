import { expect } from "chai";
import { type Finished, runCommand } from "../helpers/command.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describe("explain", () => {
  let server: TestServer;
  let key: { id: string; secret: string };
  const settings = {
    name: "explained",
    allowRealtime: true,
    domains: { mode: "specified", list: ["https://*.b.test"] },
    ips: { mode: "specified", list: ["10.0.0.0/8"] },
    channels: [{ pattern: "chat:*", actions: ["join"] }],
    endpoints: { mode: "custom-allowed", list: ["get-order"] },
  };

  before(async () => {
    server = await startServer({
      config: {
        endpoints: [
          { id: "list-orders", method: "GET", path: "/orders", handler: () => [] },
          { id: "get-order", method: "GET", path: "/orders/:id", handler: () => [] },
          { id: "files", method: "GET", path: "/files/*", handler: () => [] },
          { id: "readme", method: "GET", path: "/files/readme", handler: () => [] },
        ],
      },
    });
    key = await server.createKey(settings);
  });
  after(() => server.close());

  const ask = (body: unknown) => server.admin("/explain", { method: "POST", body });

  it("returns the decision and every check in order, after a failure too", async () => {
    const request = { action: "join", origin: "https://a.c.b.test", ip: "11.0.0.1", channel: "news:1" };
    const { status, body } = await ask({ keyId: key.id, request });
    expect(status).to.equal(200);
    expect(body["decision"]).to.include({ allowed: false, code: "domain_not_authorized" });
    const { checks } = body;
    const rows = Array.isArray(checks) ? checks.map(({ check, passed }) => [check, passed]) : [];
    expect(rows).to.deep.equal([
      ["key", true],
      ["enabled", true],
      ["expiry", true],
      ["realtime", true],
      ["domain", false],
      ["ip", false],
      ["channel", false],
    ]);
    expect(JSON.stringify(checks)).to.include("exactly one label");
  });

  it("explains a secret and settings that are not saved as it explains a stored key", async () => {
    const request = { action: "connect", origin: "https://a.b.test", ip: "10.1.2.3" };
    for (const about of [{ keyId: key.id }, { apiKey: key.secret }, { settings }]) {
      const { body } = await ask({ ...about, request });
      expect(body["decision"], JSON.stringify(body)).to.deep.equal({ allowed: true });
    }
    const unknown = await ask({ apiKey: "nobody", request });
    expect(unknown.body["decision"]).to.include({ code: "invalid_api_key" });
    expect((await ask({ settings: { name: "x" }, request })).status).to.equal(400);
    expect((await ask({ keyId: "key_none", request })).status).to.equal(404);
  });

  it("finds the declared endpoint that a path would reach, the more specific one first", async () => {
    const decisionOf = async (endpoint: string): Promise<unknown> => {
      const request = { action: "endpoint", endpoint, origin: "https://a.b.test", ip: "10.0.0.1" };
      const { body } = await ask({ keyId: key.id, request });
      return JSON.stringify(body);
    };
    expect(await decisionOf("GET /orders/7"))
      .to.include("get-order")
      .and.to.include('"allowed":true');
    expect(await decisionOf("HEAD /orders/7")).to.include('"allowed":true');
    expect(await decisionOf("list-orders")).to.include("endpoint_not_allowed");
    expect(await decisionOf("GET /files/x")).to.include("(files)");
    expect(await decisionOf("GET /files/readme")).to.include("(readme)");
    expect(await decisionOf("GET /nowhere")).to.include("not_found");
  });

  it("refuses questions that are not well-formed", async () => {
    for (const body of [
      {},
      { keyId: key.id },
      { keyId: key.id, request: { action: "fly" } },
      { keyId: key.id, apiKey: key.secret, request: { action: "connect" } },
      { keyId: key.id, request: { action: "join" } },
      { keyId: key.id, request: { action: "join", channel: "a*" } },
      { keyId: key.id, request: { action: "connect", surprise: 1 } },
    ]) {
      expect((await ask(body)).status, JSON.stringify(body)).to.equal(400);
    }
  });

  describe("sluice check", () => {
    const check = (args: readonly string[]): Promise<Finished> =>
      runCommand(["check", ...args], {
        cwd: ".",
        env: { SLUICE_ADMIN_URL: server.adminUrl, SLUICE_ADMIN_TOKEN: server.adminToken },
      });

    it("prints the checks and exits with the decision", async () => {
      const good = await check([
        "--key",
        key.secret,
        "--origin",
        "https://a.b.test",
        "--ip",
        "10.0.0.1",
        "--connect",
      ]);
      expect(good.code).to.equal(0);
      expect(good.stdout)
        .to.match(/^ok {2}key/)
        .and.to.match(/allowed\n$/);
      expect(good.stdout).to.not.include(key.secret);
      const bad = await check([
        "--key-id",
        key.id,
        "--origin",
        "https://b",
        "--ip",
        "10.0.0.1",
        "--join",
        "chat:1",
      ]);
      expect(bad.code).to.equal(1);
      expect(bad.stdout)
        .to.match(/NO {2}domain/)
        .and.to.match(/denied: domain_not_authorized/);
    });

    it("exits with 2 when it cannot be asked", async () => {
      expect((await check(["--connect"])).code).to.equal(2);
      expect((await check(["--key-id", "key_none", "--connect"])).code).to.equal(2);
      expect((await check(["--key-id", key.id, "--connect", "--url", "http://127.0.0.1:9"])).code).to.equal(
        2,
      );
    });
  });
});
