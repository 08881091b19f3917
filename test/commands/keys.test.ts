import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Command, type Finished, runCommand } from "../helpers/command.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("sluice keys", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const keys = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
    runCommand(["keys", ...args], {
      cwd: ".",
      env: { SLUICE_ADMIN_URL: server.adminUrl, SLUICE_ADMIN_TOKEN: server.adminToken, ...env },
    });

  it("creates, lists, shows and revokes through the API of a running server", async () => {
    const created = await keys(["create", "--name", "from cli", "--realtime", "--ip", "127.0.0.1", "--json"]);
    expect(created.code).to.equal(0);
    const { id, secret, settings } = JSON.parse(created.stdout);
    expect(settings).to.deep.include({ name: "from cli", ips: { mode: "specified", list: ["127.0.0.1"] } });
    const client = await new SocketClient(server.url, { apiKey: secret }).ready();

    const listed = await keys(["list"]);
    expect(listed.stdout).to.include(id).and.to.include("from cli").and.to.not.include(secret);
    const shown = await keys(["show", id]);
    expect(JSON.parse(shown.stdout)).to.include({ id, version: 1 });

    const revoked = await keys(["revoke", id]);
    expect(revoked.code).to.equal(0);
    expect(await client.next("connection:closing")).to.include({ code: "invalid_api_key" });
    expect((await keys(["show", id])).code).to.equal(1);
  });

  it("takes limits with a unit of time, replaces them and takes them away", async () => {
    const created = await keys(["create", "--name", "limited", "--limit", "burst=5/10s", "--json"]);
    const { id, settings } = JSON.parse(created.stdout);
    expect(settings.limits).to.deep.equal([
      { name: "burst", limit: 5, windowSeconds: 10, per: "connection" },
    ]);
    const edit = async (...flags: string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await keys(["edit", id, ...flags, "--json"]);
      expect(code, stderr).to.equal(0);
      return JSON.parse(stdout).settings.limits;
    };
    expect(await edit("--limit", "daily=1000/1d/key", "--limit", "b=1/2m/address")).to.deep.equal([
      { name: "daily", limit: 1000, windowSeconds: 86_400, per: "key" },
      { name: "b", limit: 1, windowSeconds: 120, per: "address" },
    ]);
    expect(await edit("--no-limits")).to.equal(undefined);
  });

  it("shows the secret once, in clear words", async () => {
    const { stdout, code } = await keys(["create", "--name", "plain"]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/Secret\s+slc_[0-9A-Za-z]{38}/);
    expect(stdout).to.include("once");
  });

  it("says clearly what is wrong, with an exit code", async () => {
    const noToken = await keys(["list"], { SLUICE_ADMIN_TOKEN: "" });
    expect(noToken.code).to.equal(2);
    expect(noToken.stderr).to.include("--token").and.to.include("SLUICE_ADMIN_TOKEN");
    const wrongToken = await keys(["list", "--token", "nonsense"]);
    expect(wrongToken.code).to.equal(1);
    expect(wrongToken.stderr).to.include("invalid_admin_token").and.to.not.include("nonsense");
    const noServer = await keys(["list", "--url", "http://127.0.0.1:9"]);
    expect(noServer.code).to.equal(1);
    expect(noServer.stderr).to.include("no server answers at http://127.0.0.1:9");
    const faults = await keys(["create", "--name", "x", "--ip", "10/8"]);
    expect(faults.code).to.equal(1);
    expect(faults.stderr).to.include("/name").and.to.include("/ips/list/0");
    expect((await keys(["show"])).code).to.equal(2);
    expect((await keys(["explode"])).code).to.equal(2);
  });
});

describe("sluice keys, through a key's life", () => {
  let server: TestServer;
  let home: string;
  before(async () => {
    server = await startServer();
    home = await mkdtemp(join(tmpdir(), "sluice-home-"));
  });
  after(async () => {
    await server.close();
    await rm(home, { recursive: true });
  });
  const sluice = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
    runCommand(args, { cwd: home, env: { HOME: home, XDG_CONFIG_HOME: undefined, ...env } });

  it("remembers where the server is, for its owner alone", async () => {
    expect((await sluice(["keys", "list"])).code).to.equal(2);
    const saved = await sluice(["context", "--url", server.adminUrl, "--token", server.adminToken]);
    expect(saved.code).to.equal(0);
    expect(saved.stdout).to.not.include(server.adminToken);
    const file = join(home, ".config", "sluice", "context.json");
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect((await sluice(["keys", "list"])).code).to.equal(0);
  });

  it("finds the saved token for the same URL however it is written, and for no other", async () => {
    const withSlash = await sluice(["keys", "list", "--url", `${server.adminUrl}/`]);
    expect(withSlash.code, withSlash.stderr).to.equal(0);
    expect((await sluice(["keys", "list", "--url", `${server.adminUrl}/other`])).code).to.equal(2);
    expect((await sluice(["context", "--url", `${server.adminUrl}/`])).code).to.equal(0);
    expect((await sluice(["keys", "list"])).code).to.equal(0);
  });

  it("saves no context that cannot be used, and says so of one that is broken", async () => {
    for (const flags of [
      ["--url", "127.0.0.1:8081"],
      ["--url", "ftp://x"],
      ["--token", "two words"],
    ])
      expect((await sluice(["context", ...flags])).code, flags.join(" ")).to.equal(2);
    const config = await mkdtemp(join(home, "config-"));
    await mkdir(join(config, "sluice"));
    await writeFile(join(config, "sluice", "context.json"), '{"url": "http');
    const broken = await sluice(["keys", "list"], { XDG_CONFIG_HOME: config });
    expect(broken.code).to.equal(2);
    expect(broken.stderr).to.include("context.json cannot be read").and.to.include("--forget");
    const flags = ["--url", server.adminUrl, "--token", server.adminToken];
    expect((await sluice(["keys", "list", ...flags], { XDG_CONFIG_HOME: config })).code).to.equal(0);
  });

  it("says what revoking closes, and asks on a terminal unless --yes answers", async () => {
    const { id, secret } = await server.createKey({ name: "asked", allowRealtime: true });
    const client = await new SocketClient(server.url, { apiKey: secret }).ready();
    const ask = (args: readonly string[]): Command =>
      new Command(args, { cwd: home, env: { HOME: home }, terminal: true });
    const refused = ask(["keys", "revoke", id]);
    await refused.output(/cannot be undone and closes 1 connection\.[\s\S]*Go on\? \[y\/N\]/);
    refused.child.stdin?.write("n\n");
    expect((await refused.finished()).code).to.equal(1);
    expect((await server.admin(`/keys/${id}`)).status).to.equal(200);
    const edited = ask(["keys", "edit", id, "--no-realtime"]);
    await edited.output(/closes 1 of 1 connection\.[\s\S]*Go on\? \[y\/N\]/);
    edited.child.stdin?.write("y\n");
    expect((await edited.finished()).code).to.equal(0);
    expect(await client.next("connection:closing")).to.include({ code: "realtime_not_allowed" });
    expect((await ask(["keys", "revoke", id, "--yes"]).finished()).code).to.equal(0);
    expect((await server.admin(`/keys/${id}`)).status).to.equal(404);
  }).timeout(60_000);

  it("notes that a new key has expired already", async () => {
    const made = await sluice(["keys", "create", "--name", "late", "--expires", "2020-01-01T00:00:00Z"]);
    expect(made.stdout).to.include("Note: the key has expired (2020-01-01T00:00:00Z)");
  });

  it("has help at every level, and a version", async () => {
    for (const args of [
      ["keys", "create", "--help"],
      ["keys", "import", "-h"],
      ["backup", "--help"],
    ]) {
      const { code, stdout } = await sluice(args);
      expect([code, stdout.slice(0, 6)], args.join(" ")).to.deep.equal([0, "sluice"]);
    }
    expect((await sluice(["--version"])).stdout).to.match(/^[0-9]+\.[0-9]+\.[0-9]+/);
  }).timeout(60_000);

  it("edits, rotates, exports and imports", async () => {
    const { id } = await server.createKey({ name: "from the api" });
    const edited = await sluice([
      "keys",
      "edit",
      id,
      "--realtime",
      "--expires",
      "2031-01-01T00:00:00Z",
      "--json",
    ]);
    expect(JSON.parse(edited.stdout)).to.deep.nested.include({
      version: 2,
      "settings.allowRealtime": true,
      "settings.expiresAt": "2031-01-01T00:00:00Z",
    });
    const stale = await sluice(["keys", "edit", id, "--disable", "--if-version", "1"]);
    expect(stale.code).to.equal(1);
    expect(stale.stderr).to.include("version_conflict");
    expect((await sluice(["keys", "edit", id])).code).to.equal(2);

    const rotated = await sluice(["keys", "rotate", id, "--overlap", "60"]);
    expect(rotated.stdout).to.match(/Secret\s+slc_[0-9A-Za-z]{38}/);
    expect((await sluice(["keys", "list"])).stdout).to.match(new RegExp(`${id}.*rotating`));

    expect((await sluice(["keys", "export", "--file", "backup.json"])).code).to.equal(0);
    expect((await stat(join(home, "backup.json"))).mode & 0o777).to.equal(0o600);
    expect((await sluice(["keys", "import", "--file", "backup.json"])).code).to.equal(1);
    const skipped = await sluice(["keys", "import", "--file", "backup.json", "--skip"]);
    expect(skipped.stdout).to.include("0 created");
    await server.deleteKey(id);
    expect((await sluice(["keys", "import", "--file", "backup.json", "--skip"])).stdout).to.include(
      "1 created",
    );

    const agnost = { name: "agnost", key: "ak-cli-1", allowRealtime: true, type: "full-access" };
    await writeFile(join(home, "version.json"), JSON.stringify({ apiKeys: [agnost] }));
    const weak = await sluice(["keys", "import", "--agnost", "--file", "version.json"]);
    expect(weak.code).to.equal(1);
    expect(weak.stderr).to.include("/apiKeys/0/key").and.to.include("--allow-weak");
    expect((await sluice(["keys", "import", "--allow-weak", "--file", "backup.json"])).code).to.equal(2);
    const taken = await sluice(["keys", "import", "--agnost", "--allow-weak", "--file", "version.json"]);
    expect(taken.stdout).to.include("1 created");
    (await new SocketClient(server.url, { apiKey: "ak-cli-1" }).ready()).close();
  }).timeout(60_000);

  it("rotates the admin token, and has a way back in when it is lost", async () => {
    const store = `lmdb:${join(home, "data")}`;
    const own = await startServer({ config: { adminToken: undefined, store } });
    const made = own.started.firstStart.madeAdminToken ?? "";
    const flags = ["--url", own.adminUrl];
    const rotated = await sluice(["admin", "token", "--rotate", ...flags, "--token", made]);
    const [second = ""] = rotated.stdout.match(/sla_[0-9A-Za-z]{40}/) ?? [];
    expect((await own.admin("/keys", { token: made })).status).to.equal(401);
    expect((await own.admin("/keys", { token: second })).status).to.equal(200);
    // The running server sees what was written beside it.
    const reset = await sluice(["admin", "token", "--reset", "--store", store]);
    const [third = ""] = reset.stdout.match(/sla_[0-9A-Za-z]{40}/) ?? [];
    expect((await own.admin("/keys", { token: second })).status).to.equal(401);
    expect((await own.admin("/keys", { token: third })).status).to.equal(200);
    await own.close();
  });
});
