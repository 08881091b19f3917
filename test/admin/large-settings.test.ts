import { expect } from "chai";
import { SETTINGS_LIMITS } from "../../src/policy/index.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

const { domainsMaxItems, endpointsMaxItems, ipsMaxItems } = SETTINGS_LIMITS;

describe("settings as large as their bounds", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const settings = {
    name: "large",
    domains: {
      mode: "specified",
      list: Array.from(
        { length: domainsMaxItems },
        (_, index) => `https://${"label-".repeat(9)}${index}.example.com`,
      ),
    },
    endpoints: {
      mode: "custom-allowed",
      list: Array.from({ length: endpointsMaxItems }, (_, index) => {
        const start = `GET /${index}/`;
        return start + "é".repeat(100);
      }),
    },
    ips: {
      mode: "specified",
      list: Array.from({ length: ipsMaxItems }, (_, index) => `10.${index >> 8}.${index & 255}.7`),
    },
  };
  const lengths = (body: Record<string, unknown>): unknown[] =>
    ["domains", "endpoints", "ips"].map((field) => {
      const list = toRecord(toRecord(body["settings"])[field])["list"];
      return Array.isArray(list) ? list.length : undefined;
    });

  it("are created, previewed, changed, explained, exported and imported", async function () {
    // Seven megabytes of settings, six times, on a busy machine.
    this.timeout(60_000);
    const all = [domainsMaxItems, endpointsMaxItems, ipsMaxItems];
    const made = await server.admin("/keys", { method: "POST", body: settings });
    expect(made.status).to.equal(201);
    expect(lengths(made.body)).to.deep.equal(all);
    const id = String(made.body["id"]);
    const preview = await server.admin(`/keys/${id}/preview`, { method: "POST", body: settings });
    expect(preview.status).to.equal(200);
    const changed = await server.patchKey(id, { ...settings, name: "larger" });
    expect(changed.status).to.equal(200);
    const request = { action: "connect", origin: "https://none.example.com" };
    const explained = await server.admin("/explain", { method: "POST", body: { settings, request } });
    expect(explained.status).to.equal(200);
    const { body } = await server.admin("/keys/export", { method: "POST" });
    const keys: unknown = body["keys"];
    const imported = await server.admin("/keys/import", {
      method: "POST",
      body: { keys, onExisting: "replace" },
    });
    expect(imported.status).to.equal(200);
  });

  it("are refused beyond them by their places, and what is no JSON as such", async () => {
    const list = [...settings.domains.list, "https://one-too-many.example.com"];
    const refused = await server.admin("/keys", {
      method: "POST",
      body: { name: "too large", domains: { mode: "specified", list } },
    });
    expect(refused.status).to.equal(400);
    expect(JSON.stringify(refused.body["faults"])).to.include("/domains/list");
    const broken = await fetch(`${server.adminUrl}/admin/v1/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.adminToken}`, "content-type": "application/json" },
      body: `{"name": "${"x".repeat(200_000)}", }`,
    });
    expect(broken.status).to.equal(400);
    expect(await broken.text()).to.include("invalid_request");
  });
});
