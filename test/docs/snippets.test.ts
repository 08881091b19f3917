import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { io } from "socket.io-client";
import { loadConfig } from "../../src/config/config.ts";
import { openKeyStore } from "../../src/keys/index.ts";
import { parseSettings } from "../../src/policy/index.ts";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { Command, type Finished } from "../helpers/command.ts";
import { Link } from "../helpers/link.ts";
import { itIfThere } from "../helpers/needs.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";
import { ROOT, readDocument, Snippets, substitute } from "./documents.ts";
import { applicationFolder, isInstalled, run, runModule, runShell } from "./programs.ts";

/** Blocks that no case here runs, each with the reason. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "README.md > Sluice": "npm start: the package's own test starts it from a clean copy",
  "README.md > Sluice (2)": "npm test: it would run this very test",
  "CONTRIBUTING.md > Set-up": "npm run check: it would run this very test",
  "docs/architecture.md > Rooms":
    "a picture: test/docs/architecture.test.ts compares it with the import rules",
  "docs/architecture.md > Rooms (2)": "a picture: test/docs/architecture.test.ts compares it, too",
  "docs/architecture.md > The states of a session": "a picture",
  "docs/origins.md > The proxy passes Host on": "nginx: test/realtime/same-origin.test.ts runs it",
  "docs/origins.md > The proxy passes Host on (2)": "Vite: test/realtime/same-origin.test.ts runs it",
  "docs/deploying.md > nginx": "test/deploy/proxies.test.ts runs it with nginx",
  "docs/deploying.md > Caddy": "test/deploy/proxies.test.ts runs it with Caddy",
  "docs/deploying.md > HAProxy": "test/deploy/proxies.test.ts runs it with HAProxy",
  "docs/deploying.md > Apache": "test/deploy/proxies.test.ts runs it with Apache",
  "docs/deploying.md > What the proxy has to do":
    "test/deploy/proxies.test.ts starts a server with these settings",
  "docs/deploying.md > Backing up": "docker is not there; the backup's own test runs the command",
  "docs/deploying.md > Containers": "docker is not there; test/deploy/containers.test.ts reads the files",
};

/** Checks a config file as its author's own TypeScript would. */
function typecheck(folder: string): Promise<Finished> {
  return run(
    join(ROOT, "node_modules", ".bin", "tsc"),
    [
      ...["--noEmit", "--strict", "--noPropertyAccessFromIndexSignature", "--skipLibCheck"],
      ...["--module", "nodenext", "--target", "es2023", "--types", "node"],
      ...["--typeRoots", join(ROOT, "node_modules", "@types"), "sluice.config.ts"],
    ],
    { cwd: folder },
  );
}

const snippets = new Snippets();
for (const id of Object.keys(LEFT_OUT)) snippets.claim(id, "");

const publicNames = snippets.claim("docs/origins.md > Calls over HTTP", "ts");

const PUBLIC = "http://localhost:8080";
const ADMIN = "http://127.0.0.1:8081";

describe("documentation snippets", () => {
  let server: TestServer;

  before(async () => {
    if (!existsSync(join(ROOT, "dist", ".built")))
      throw new Error("dist/ is missing: npm run build makes it");
    server = await startServer();
  });
  after(() => server?.close());

  /** Where a command line finds the test server; the documents' own default is port 8081. */
  const shell = (text: string, env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
    runShell(text, { SLUICE_ADMIN_URL: server.adminUrl, ...env });

  describe("of keys and commands", () => {
    itInShell("README.md > Keys", [], async (text) => {
      const key = await server.createKey({ allowRealtime: true });
      const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
      const done = await shell(
        substitute(text, { sla_your_admin_token: server.adminToken, key_the_id: key.id }),
      );
      expectDone(done);
      expect(done.stdout).to.match(/Secret\s+slc_\w{38}/);
      const [, id = ""] = done.stdout.match(/^Key\s+(key_\S+)$/m) ?? [];
      expect((await server.admin(`/keys/${id}`)).body["settings"]).to.deep.include({
        name: "web frontend",
        allowRealtime: true,
        domains: { mode: "specified", list: ["https://app.example.com"] },
      });
      expect(done.stdout).to.match(new RegExp(`^${id}\\s+web frontend`, "m"));
      expect(done.stdout).to.include(`Key ${key.id} is revoked`);
      expect(await client.next("connection:closing")).to.include({ code: "invalid_api_key" });
      expect((await server.admin(`/keys/${key.id}`)).status).to.equal(404);
    });

    itInShell("README.md > Publishing from a server", ["curl"], async (text) => {
      const reader = await server.createKey({ allowRealtime: true });
      const listener = await new SocketClient(server.url, { apiKey: reader.secret }).ready();
      await listener.request("join", { channel: "lobby" });
      const ips = { mode: "specified", list: ["127.0.0.1", "::1"] };
      const key = await server.createKey({ allowRealtime: true, ips });
      const done = await shell(substitute(text, { [PUBLIC]: server.url, slc_a_server_key: key.secret }));
      expectDone(done);
      expect(JSON.parse(done.stdout)).to.have.all.keys("id", "epoch", "offset");
      const from = { id: null, clientId: null, key: key.id };
      expect(await listener.next("say")).to.deep.include({ message: { text: "hi" }, from });
      listener.close();
    });

    const settingsBlock = snippets.claim("docs/keys.md > Settings", "json");
    it("docs/keys.md > Settings", () => {
      const input: unknown = JSON.parse(settingsBlock());
      expect(parseSettings(input)).to.deep.equal(input);
    });

    const patch = snippets.claim("docs/keys.md > The admin API (2)", "");
    itInShell("docs/keys.md > The admin API", ["curl"], async (text) => {
      const env = { SLUICE_ADMIN_TOKEN: server.adminToken };
      const created = await shell(substitute(text, { [ADMIN]: server.adminUrl }), env);
      expectDone(created);
      const key = JSON.parse(created.stdout);
      expect(key.settings).to.include({ name: "web frontend", allowRealtime: true });
      const [, members = ""] = readDocument("docs/keys.md").match(/settings → 201 `\{ (.*) \}`/) ?? [];
      expect(key).to.have.all.keys(members.split(", "));

      const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
      const patched = await shell(substitute(patch(), { [ADMIN]: server.adminUrl }), {
        ...env,
        KEY_ID: key.id,
      });
      expectDone(patched);
      expect(JSON.parse(patched.stdout)).to.deep.include({ version: 2, id: key.id });
      expect(JSON.parse(patched.stdout).settings).to.include({ allowRealtime: false });
      expect(await client.next("connection:closing")).to.include({ code: "realtime_not_allowed" });
    });

    itInShell("docs/admin-api.md > The admin API", ["curl"], async (text) => {
      const key = await server.createKey({ allowRealtime: true });
      const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
      await client.request("join", { channel: "lobby" });
      const env = { SLUICE_ADMIN_TOKEN: server.adminToken };
      const done = await shell(substitute(text, { [ADMIN]: server.adminUrl }), env);
      expectDone(done);
      expect(JSON.parse(done.stdout)).to.include({ next: null, total: 1 });
      expect(JSON.parse(done.stdout).items[0]).to.deep.include({
        id: client.socket.id,
        channelNames: ["lobby"],
      });
      client.close();
    });

    itInShell("docs/keys.md > The command line", [], async (text) => {
      const done = await shell(text, { SLUICE_ADMIN_TOKEN: server.adminToken });
      expectDone(done);
      const [, id = ""] = done.stdout.match(/^Key\s+(key_\S+)$/m) ?? [];
      expect((await server.admin(`/keys/${id}`)).body["settings"]).to.deep.include({
        name: "orders service",
        endpoints: { mode: "custom-allowed", list: ["POST /orders"] },
        ips: { mode: "specified", list: ["10.0.0.0/8"] },
        expiresAt: "2030-01-01T00:00:00Z",
        limits: [
          { name: "burst", limit: 50, windowSeconds: 1, per: "connection" },
          { name: "daily", limit: 10_000, windowSeconds: 86_400, per: "key" },
          { name: "arrivals", limit: 20, windowSeconds: 60, per: "connection", kind: "joins" },
        ],
        broadcastTo: "everyone",
      });
    });

    itInShell("docs/configuration.md > Backing up", [], async (text) => {
      const folder = mkdtempSync(join(tmpdir(), "sluice-backup-"));
      try {
        const store = `lmdb:${join(folder, "data")}`;
        await (await openKeyStore(store)).close();
        const copy = join(folder, "today");
        expectDone(await shell(substitute(text, { "backups/today": copy }), { SLUICE_STORE: store }));
        await (await openKeyStore(`lmdb:${copy}`)).close();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });

    itInShell("docs/keys.md > The admin token", [], async (text) => {
      const folder = mkdtempSync(join(tmpdir(), "sluice-token-"));
      try {
        await (await openKeyStore(`lmdb:${folder}`)).close();
        const done = await shell(substitute(text, { "lmdb:./data": `lmdb:${folder}` }));
        expectDone(done);
        expect(done.stdout).to.match(/Admin token\s+sla_[0-9A-Za-z]{40}/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it("docs/keys.md names actions and flags of the command line that exist", async () => {
      const [, actions = ""] = readDocument("docs/keys.md").match(/`npx sluice keys ([a-z|]+)`/) ?? [];
      const help = await shell("npx sluice keys --help");
      expectDone(help);
      expect(actions.split("|")).to.include("create");
      for (const action of actions.split("|")) expect(help.stdout).to.include(`sluice keys ${action}`);
      const { id } = await server.createKey();
      const flags = `--url ${server.adminUrl} --token ${server.adminToken} --json`;
      const shown = await runShell(`npx sluice keys show ${id} ${flags}`, {});
      expectDone(shown);
      expect(JSON.parse(shown.stdout)).to.deep.equal((await server.admin(`/keys/${id}`)).body);
    });

    it("docs/configuration.md names a help that lists the flags", async () => {
      expect(readDocument("docs/configuration.md")).to.include("`npx sluice start --help`");
      const done = await shell("npx sluice start --help");
      expectDone(done);
      for (const flag of ["--dev", "--config", "--port", "--store"]) expect(done.stdout).to.include(flag);
    });
  });

  it("docs/origins.md > Calls over HTTP", async () => {
    const application = applicationFolder(publicNames());
    try {
      const { publicOrigins } = await loadConfig({ folder: application.path });
      expect(publicOrigins).to.deep.equal(["https://app.example.com", "https://app.example.org"]);
    } finally {
      application.remove();
    }
  });

  describe("of endpoints and clients", () => {
    const config = snippets.claim("docs/endpoints.md > Endpoints", "ts");
    let application: ReturnType<typeof applicationFolder>;
    beforeEach(() => {
      application = applicationFolder(config());
    });
    afterEach(() => application.remove());

    it("docs/endpoints.md > Endpoints, started as a config file", async () => {
      const env = { SLUICE_ADMIN_TOKEN: server.adminToken };
      const command = new Command(["start", "--port", "0", "--admin-port", "0", "--store", "memory:"], {
        cwd: application.path,
        env,
      });
      try {
        const [line] = await command.output(/\{.*"sluice is running".*\}/);
        const { url, adminUrl } = JSON.parse(line);
        const name = "of the application";
        const created = await fetch(`${adminUrl}/admin/v1/keys`, {
          method: "POST",
          headers: { authorization: `Bearer ${server.adminToken}`, "content-type": "application/json" },
          body: JSON.stringify({ name, allowRealtime: true, endpoints: { mode: "full-access" } }),
        });
        const { secret } = JSON.parse(await created.text());
        const call = (path: string, method = "GET"): Promise<Response> =>
          fetch(`${url}/api${path}`, { method, headers: { authorization: `Bearer ${secret}` } });
        const client = await new SocketClient(url, { apiKey: secret }).ready();
        await client.request("join", { channel: "lobby" });

        expect(await (await call("/orders")).json()).to.deep.equal([{ id: 1, item: "tea" }]);
        expect(await (await call("/orders/1")).json()).to.deep.equal({ id: 1, item: "tea" });
        const missing = await call("/orders/2");
        expect(missing.status).to.equal(404);
        expect(await missing.json()).to.deep.equal({ error: "no such order" });
        expect((await call("/announce", "POST")).status).to.equal(200);
        expect(await client.next("announced")).to.deep.include({ message: { by: name }, from: null });
        client.close();
      } finally {
        await command.kill("SIGTERM");
      }
    });

    it("docs/endpoints.md > Endpoints, as TypeScript checks it", async () => {
      const { code, stdout } = await typecheck(application.path);
      expect(code, stdout).to.equal(0);
    });

    const uploads = snippets.claim("docs/endpoints.md > Uploads", "ts");
    it("docs/endpoints.md > Uploads, started as a config file and checked by TypeScript", async () => {
      const folder = mkdtempSync(join(tmpdir(), "sluice-uploads-"));
      const uploader = applicationFolder(uploads().replace("/var/uploads", folder));
      try {
        const { code, stdout } = await typecheck(uploader.path);
        expect(code, stdout).to.equal(0);
        const { endpoints } = await loadConfig({ folder: uploader.path });
        const gateway = await startServer({ config: { endpoints } });
        const { secret } = await gateway.createKey({ endpoints: { mode: "full-access" } });
        const form = new FormData();
        form.append("about", "two files");
        for (const name of ["a.txt", "b.txt"]) form.append("file", new Blob([`text of ${name}`]), name);
        const headers = { authorization: `Bearer ${secret}` };
        const response = await fetch(`${gateway.url}/api/uploads`, { method: "POST", headers, body: form });
        expect(await response.json()).to.deep.equal({ names: ["a.txt", "b.txt"] });
        expect(readFileSync(join(folder, "1"), "utf8")).to.equal("text of b.txt");
        const json = await fetch(`${gateway.url}/api/uploads`, { method: "POST", headers, body: "{}" });
        expect(json.status).to.equal(415);
        await gateway.close();
      } finally {
        uploader.remove();
        rmSync(folder, { recursive: true });
      }
    });

    const clientBlock = snippets.claim("docs/client.md > The client SDK", "js");
    it("docs/client.md > The client SDK", async () => {
      const { endpoints } = await loadConfig({ folder: application.path });
      const gateway = await startServer({ config: { endpoints } });
      try {
        const key = await gateway.createKey({ allowRealtime: true, endpoints: { mode: "full-access" } });
        // The snippet's apiKey comes from its program; what it only computes is printed behind it.
        const done = await runModule(
          `const apiKey = process.env.API_KEY;
           ${substitute(clientBlock(), { [PUBLIC]: gateway.url })}
           console.log("result", JSON.stringify({ error, data, members, orders }));`,
          { API_KEY: key.secret },
        );
        expectDone(done);
        expect(done.stdout).to.match(/^came \S+$/m);
        expect(done.stdout).to.match(/^\S+ \{ text: 'hello' \}$/m);
        const result = JSON.parse(done.stdout.match(/^result (.*)$/m)?.[1] ?? "");
        expect(result.error).to.equal(null);
        expect(result.data).to.include({ channel: "lobby" });
        expect(result.members.data.members[0].data).to.deep.equal({ name: "Ann" });
        expect(result.orders).to.deep.equal({ data: [{ id: 1, item: "tea" }], error: null });
      } finally {
        await gateway.close();
      }
    });

    const lossBlock = snippets.claim("docs/client.md > When the network is lost", "js");
    it("docs/client.md > When the network is lost", async () => {
      const channels = [{ pattern: "**", history: { size: 1, seconds: 60 } }];
      const gateway = await startServer({ config: { channels } });
      const link = await Link.open(gateway.port);
      try {
        const key = await gateway.createKey({ allowRealtime: true });
        const witness = await new SocketClient(gateway.url, { apiKey: key.secret }).ready();
        await witness.request("join", { channel: "lobby" });
        const say = (message: string) =>
          witness.request("message", { channel: "lobby", eventName: "say", message });
        const done = runModule(
          `const apiKey = process.env.API_KEY;\n${substitute(lossBlock(), { [PUBLIC]: link.url })}`,
          { API_KEY: key.secret },
          /three\n/,
        );
        await witness.next(
          "channel:join",
          (payload) => !JSON.stringify(payload).includes(witness.socket.id ?? ""),
        );
        link.down();
        for (const message of ["one", "two", "three"]) await say(message);
        link.up();
        expect((await done).stdout).to.equal("lobby: 2 messages are lost, load it anew\nthree\n");
        witness.close();
      } finally {
        link.close();
        await gateway.close();
      }
    });

    const protocolBlock = snippets.claim("src/protocol/PROTOCOL.md > The Sluice realtime protocol", "js");
    it("src/protocol/PROTOCOL.md > The Sluice realtime protocol", async () => {
      const key = await server.createKey({ allowRealtime: true });
      const done = await runModule(
        `const apiKey = process.env.API_KEY;\n${substitute(protocolBlock(), { [PUBLIC]: server.url })}`,
        { API_KEY: key.secret },
        /hello\n/,
      );
      expect(done.stdout).to.match(/^\S{20} hello$/m);
      expect(done.stderr).to.equal("");
    });

    const refusalBlock = snippets.claim("src/protocol/PROTOCOL.md > 1. Connecting", "json");
    it("src/protocol/PROTOCOL.md > 1. Connecting", async () => {
      const auth = { apiKey: `slc_${"x".repeat(38)}` };
      const socket = io(server.url, { path: "/realtime/", reconnection: false, forceNew: true, auth });
      const error = await new Promise<Error>((resolve) => socket.once("connect_error", resolve));
      const { message } = error;
      const shown = JSON.stringify({ message, data: Reflect.get(error, "data") }).replaceAll(
        JSON.stringify(message),
        '"…"',
      );
      expect(JSON.parse(shown)).to.deep.equal(JSON.parse(refusalBlock()));
    });
  });

  const page = snippets.claim("README.md > The first channel", "html");
  describeInBrowser("of a page", () => {
    it("README.md > The first channel, in two tabs", async () => {
      const domains = { mode: "specified", list: ["localhost"] };
      const key = await server.createKey({ allowRealtime: true, domains });
      const html = substitute(page(), { [PUBLIC]: server.url, slc_your_development_key: key.secret });
      const site = createServer((_request, response) => {
        response.setHeader("content-type", "text/html; charset=utf-8").end(html);
      });
      await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
      const address = site.address();
      const url = `http://localhost:${typeof address === "object" ? address?.port : ""}/`;
      const browser = await openBrowser();
      try {
        const context = await browser.newContext();
        const [first, second] = [await context.newPage(), await context.newPage()];
        await Promise.all([hearsHello(first), first.goto(url)]);
        await Promise.all([hearsHello(first), hearsHello(second), second.goto(url)]);
        // The first tab comes again: the second has been there before.
        await Promise.all([hearsHello(first), hearsHello(second), first.reload()]);
      } finally {
        await browser.close();
        site.closeAllConnections();
        await new Promise((resolve) => site.close(resolve));
      }
    });
  });

  it("are all run by a case, or left out with a reason", () => {
    expect(snippets.mismatches()).to.deep.equal({ uncovered: [], stale: [] });
  });
});

/** A case of a shell block. */
function itInShell(id: string, programs: readonly string[], fn: (text: string) => Promise<void>): void {
  const text = snippets.claim(id, "");
  const missing = ["bash", ...programs].filter((program) => !isInstalled(program));
  itIfThere(id, missing.length === 0 ? undefined : missing.join(", "), () => fn(text()));
}

function expectDone({ code, stdout, stderr }: Finished): void {
  expect(code, `${stdout}\n${stderr}`).to.equal(0);
}

function hearsHello(page: Page): Promise<unknown> {
  return page.waitForEvent("console", {
    predicate: (message) => message.text() === "hello",
    timeout: 10_000,
  });
}
