import { expect } from "chai";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";

describe("a key's life over the admin API", () => {
  let server: TestServer;
  const clients: SocketClient[] = [];
  before(async () => {
    server = await startServer();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  after(() => server.close());

  const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
    server.admin(path, { method: "POST", body: body ?? {}, headers });
  const connect = async (apiKey: unknown, origin?: string): Promise<SocketClient> => {
    const options = origin === undefined ? {} : { extraHeaders: { origin } };
    const client = new SocketClient(server.url, { apiKey }, options);
    clients.push(client);
    return client.ready();
  };
  const refusalOf = async (apiKey: unknown): Promise<unknown> => {
    const client = new SocketClient(server.url, { apiKey });
    clients.push(client);
    return (await client.refusal())["code"];
  };

  it("rotates the secret with an overlap at whose end the old one's connections close", async () => {
    const key = await server.createKey({ allowRealtime: true, expiresAt: "2031-01-01T00:00:00Z" });
    const old = await connect(key.secret);
    const rotated = await post(`/keys/${key.id}/rotate`, { overlapSeconds: 1 });
    expect(rotated.status).to.equal(200);
    expect(rotated.body).to.include({ version: 2, state: "rotating" });
    expect(rotated.body["settings"]).to.include({ expiresAt: "2031-01-01T00:00:00Z" });
    const young = await connect(rotated.body["secret"]);
    (await connect(key.secret)).close();
    expect(await old.next("connection:closing")).to.include({ code: "invalid_api_key", retry: false });
    expect(await refusalOf(key.secret)).to.equal("invalid_api_key");
    expect(await young.request("members", { channel: "c" })).to.include({ ok: true });
  });

  it("ends the old secret at once without an overlap", async () => {
    const key = await server.createKey({ allowRealtime: true });
    const old = await connect(key.secret);
    const { body } = await post(`/keys/${key.id}/rotate`, { overlapSeconds: 0 });
    expect(await old.next("connection:closing")).to.include({ code: "invalid_api_key" });
    await connect(body["secret"]);
    expect((await post(`/keys/${key.id}/rotate`, { overlapSeconds: -1 })).status).to.equal(400);
    expect((await post(`/keys/${key.id}/rotate`, {}, { "if-match": '"9"' })).status).to.equal(412);
    expect((await post("/keys/key_none/rotate")).status).to.equal(404);
  });

  it("rotates the newest version where none is named, while the settings are edited", async () => {
    // A store that takes its time to write.
    const folder = temporaryFolder();
    const durable = await startServer({ config: { store: `lmdb:${folder.path}` } });
    const key = await durable.createKey();
    const rotate = { method: "POST", body: { overlapSeconds: 0 } };
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        index % 4 === 3
          ? durable.admin(`/keys/${key.id}/rotate`, rotate)
          : durable.patchKey(key.id, { metadata: { index } }),
      ),
    );
    await durable.close();
    folder.remove();
    const rotated = answers.filter(({ body }) => body["secret"] !== undefined);
    expect(rotated.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
    expect(new Set(rotated.map(({ body }) => body["version"])).size).to.equal(4);
  });

  it("previews what new settings would close, and changes nothing", async () => {
    const key = await server.createKey({ allowRealtime: true });
    const [inside, outside] = [
      await connect(key.secret, "https://in.example.com"),
      await connect(key.secret, "https://out.example.com"),
    ];
    for (const channel of ["chat:1", "news:1"]) await inside.request("join", { channel });
    const preview = await server.admin(`/keys/${key.id}/preview`, {
      method: "POST",
      headers: { "content-type": "application/merge-patch+json" },
      body: {
        domains: { mode: "specified", list: ["https://in.example.com"] },
        channels: [{ pattern: "chat:*", actions: ["join"] }],
      },
    });
    expect(preview.body).to.deep.include({
      total: 2,
      closing: 1,
      leaving: 1,
      byCode: { domain_not_authorized: 1, channel_not_allowed: 1 },
      byOrigin: { "https://out.example.com": 1, "https://in.example.com": 1 },
    });
    expect(preview.body["examples"]).to.be.an("array").with.length(2);
    expect((await server.admin(`/keys/${key.id}`)).body).to.include({ version: 1, connections: 2 });
    await outside.settle();
    expect(outside.pending("connection:closing")).to.deep.equal([]);
    const whole = await post(`/keys/${key.id}/preview`, { name: "no realtime" });
    expect(whole.body).to.include({ total: 2, closing: 2 });
    expect((await post(`/keys/${key.id}/preview`, { name: "x" })).status).to.equal(400);
  });

  it("puts any earlier version back", async () => {
    const key = await server.createKey({ name: "first name" });
    await server.patchKey(key.id, { name: "second name", enabled: false });
    await server.patchKey(key.id, { name: "third name" });
    const versions = await server.admin(`/keys/${key.id}/versions`);
    const { items } = versions.body;
    expect(
      Array.isArray(items) ? items.map(({ version, settings }) => [version, settings.name]) : [],
    ).to.deep.equal([
      [2, "second name"],
      [1, "first name"],
    ]);
    const { body: one } = await server.admin(`/keys/${key.id}/versions?limit=1`);
    expect(one).to.deep.include({ items: [Array.isArray(items) ? items[0] : undefined], next: 2 });
    expect((await server.admin(`/keys/${key.id}/versions?limit=101`)).status).to.equal(400);
    const restore = (version: number, tag: string) =>
      post(`/keys/${key.id}/restore`, { version }, { "if-match": tag });
    expect((await restore(1, '"2"')).status).to.equal(412);
    const restored = await restore(1, '"3"');
    expect(restored.body).to.include({ version: 4 });
    expect(restored.body["settings"]).to.include({ name: "first name", enabled: true });
    expect((await restore(99, '"4"')).status).to.equal(404);
    expect((await restore(3, '"4"')).body["settings"]).to.include({ name: "third name" });
  });

  it("duplicates settings into a new key", async () => {
    const key = await server.createKey({ name: "original", allowRealtime: true });
    const copy = await post(`/keys/${key.id}/duplicate`);
    expect(copy.status).to.equal(201);
    expect(copy.body["settings"]).to.include({ name: "original (copy)", allowRealtime: true });
    await connect(copy.body["secret"]);
    expect((await post(`/keys/${key.id}/duplicate`, { name: "named" })).body["settings"]).to.include({
      name: "named",
    });
  });

  it("counts what a key was allowed and denied, and when it was used", async () => {
    const key = await server.createKey({
      allowRealtime: true,
      channels: [{ pattern: "a", actions: ["publish"] }],
    });
    const client = await connect(key.secret);
    await client.request("message", { channel: "a", eventName: "x" });
    await client.request("message", { channel: "b", eventName: "x" });
    const { body } = await server.admin(`/keys/${key.id}`);
    expect(body).to.deep.include({ allowed: 2, denied: { channel_not_allowed: 1 } });
    expect(Date.now() - Date.parse(String(body["lastUsedAt"]))).to.be.within(-1_000, 60_000);
  });

  it("writes down who changed what, without a secret, and samples refusals", async () => {
    const key = await server.createKey({ name: "audited", allowRealtime: true });
    await server.patchKey(key.id, { enabled: false });
    expect(await refusalOf(key.secret)).to.equal("disabled_api_key");
    const rotated = await post(`/keys/${key.id}/rotate`);
    await server.deleteKey(key.id);
    const { body } = await server.admin(`/audit?keyId=${key.id}`);
    const { items } = body;
    const rows: Record<string, unknown>[] = Array.isArray(items) ? items : [];
    expect(rows.map(({ action }) => action)).to.have.members([
      "key.created",
      "key.changed",
      "key.rotated",
      "key.deleted",
    ]);
    const changed = rows.find(({ action }) => action === "key.changed");
    expect(changed).to.deep.include({ before: { enabled: true }, after: { enabled: false } });
    expect(changed?.["actor"]).to.include({ by: "admin-token", client: "api", address: "127.0.0.1" });
    const text = JSON.stringify(body);
    expect(text).to.not.include(key.secret).and.to.not.include(String(rotated.body["secret"]));
    const refused = await server.admin(`/audit?keyId=${key.id}&kind=refusals`);
    expect(JSON.stringify(refused.body)).to.include("disabled_api_key").and.to.not.include(key.secret);
    const filtered = await server.admin(`/audit?keyId=${key.id}&action=key.changed&limit=1`);
    expect(filtered.body["items"]).to.be.an("array").with.length(1);
  });

  it("bounds how many refusals it writes down", async () => {
    const key = await server.createKey({ enabled: false });
    for (let i = 0; i < 200; i += 1) {
      await fetch(`${server.url}/channels/members?channel=a`, { headers: { "x-api-key": key.secret } });
    }
    const { body } = await server.admin(`/audit?keyId=${key.id}&action=denied`);
    expect(body["items"]).to.be.an("array").with.length.below(3);
  });

  it("exports digests, and restores all of them or nothing", async () => {
    const key = await server.createKey({ name: "to restore", allowRealtime: true });
    const { body: backup } = await server.admin("/keys/export", { method: "POST" });
    const keys: unknown[] = Array.isArray(backup["keys"]) ? backup["keys"] : [];
    expect(JSON.stringify(backup)).to.not.include(key.secret);
    const other = await startServer();
    const bad = [...keys, { ...Object(keys[0]), id: "key_other", settings: { name: "x" } }];
    const refused = await other.admin("/keys/import", { method: "POST", body: { keys: bad } });
    expect(refused.status).to.equal(400);
    expect(refused.body["faults"]).to.be.an("array").with.length.above(0);
    expect((await other.admin("/keys")).body["items"]).to.deep.equal([]);
    const restored = await other.admin("/keys/import", { method: "POST", body: { keys } });
    expect(restored.status).to.equal(200);
    (await new SocketClient(other.url, { apiKey: key.secret }).ready()).close();
    const again = await other.admin("/keys/import", { method: "POST", body: { keys } });
    expect(again.status).to.equal(400);
    const skipped = await other.admin("/keys/import", { method: "POST", body: { keys, onExisting: "skip" } });
    expect(skipped.body["skipped"]).to.be.an("array").with.length(keys.length);
    await other.close();
  });

  it("takes the keys of an Agnost version document, whose secrets keep working", async () => {
    const entry = {
      name: "agnost web",
      key: "ak-7f3b9d0c52e841a6",
      allowRealtime: true,
      type: "custom-allowed",
      allowedEndpoints: ["ep-1"],
      excludedEndpoints: [],
      domainAuthorization: "specified",
      authorizedDomains: ["https://app.example.com"],
      IPAuthorization: "all",
      authorizedIPs: [],
      expiryDate: null,
    };
    const bad = await post("/keys/import/agnost", {
      apiKeys: [entry, { ...entry, key: "ak-2", type: "sometimes" }],
    });
    expect(bad.status).to.equal(400);
    expect(JSON.stringify(bad.body)).to.include("/apiKeys/1/type").and.to.not.include("ak-7f3b9d0c");
    const good = await post("/keys/import/agnost", { apiKeys: [entry] });
    expect(good.status).to.equal(200);
    await connect(entry.key, "https://app.example.com");
  });

  it("takes an Agnost key that can be guessed only when it is told to", async () => {
    const entry = { name: "weak", key: "my-key-1", allowRealtime: true, type: "no-access" };
    const refused = await post("/keys/import/agnost", { apiKeys: [entry] });
    expect(refused.status).to.equal(400);
    expect(JSON.stringify(refused.body)).to.include("/apiKeys/0/key").and.to.include("allowWeak");
    expect((await post("/keys/import/agnost?allowWeak=yes", { apiKeys: [entry] })).status).to.equal(400);
    expect((await post("/keys/import/agnost?allowWeak=true", { apiKeys: [entry] })).status).to.equal(200);
  });

  it("verifies the chain of what was done, and compares it with a head that was noted", async () => {
    await server.createKey();
    const { body } = await server.admin("/audit/verify");
    expect(body).to.deep.include({ intact: true, broken: null });
    const { sequence, digest } = toRecord(body["head"]);
    await server.createKey();
    const later = await server.admin(`/audit/verify?sequence=${sequence}&digest=${digest}`);
    expect(later.body["intact"]).to.equal(true);
    const other = await server.admin(`/audit/verify?sequence=${sequence}&digest=${"0".repeat(64)}`);
    expect(toRecord(other.body["broken"])["sequence"]).to.equal(sequence);
    for (const query of ["sequence=1", `digest=${digest}`, "sequence=0&digest=x"]) {
      expect((await server.admin(`/audit/verify?${query}`)).status, query).to.equal(400);
    }
  });
});
