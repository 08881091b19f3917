import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openKeyStorage } from "../src/keys/index.ts";
import { Command, runCommand } from "./helpers/command.ts";
import { rawRequest, sendRaw } from "./helpers/raw-http.ts";
import { toRecord } from "./helpers/record.ts";
import { SocketClient } from "./helpers/socket-client.ts";

/** The handler fails with all that it was given: a key is no part of it. */
const CONFIG = `export default {
  endpoints: [
    { id: "fail", method: "POST", path: "/fail", handler: ({ method, params, query, body, headers, key }) => {
        throw new Error(JSON.stringify({ method, params, query: String(query), body, headers, key }));
      } },
    { id: "fine", method: "GET", path: "/fine", handler: () => ({ ok: true }) },
  ],
};`;

/** Of our form, with a checksum that does not fit; not of our form; admin tokens that are none. */
const MISTYPED = "slc_Th1sWasMistypedByItsOwner0123456789012";
const UNKNOWN = "unknown-key-of-somebody-0123456789";
const WRONG_TOKEN = "sla_WrongAdminTokenThatSomebodyTried0123456";
const AGNOST = "ak-agnost-secret-that-goes-on-working-1";
const AGNOST_REFUSED = "slc_AgnostSecretWithABadChecksum0123456789";

const JSON_TYPE = { "content-type": "application/json" };

type Answer = { status: number; body: Record<string, unknown>; cookie: string };

describe("secrets", () => {
  let cwd: string;
  let server: Command;
  /** What may be seen nowhere but where it was handed out, by a name for the failure. */
  const secrets = new Map<string, string>([
    ["a mistyped key", MISTYPED],
    ["an unknown key", UNKNOWN],
    ["a wrong admin token", WRONG_TOKEN],
    ["an imported secret", AGNOST],
    ["a secret whose import was refused", AGNOST_REFUSED],
  ]);
  /** Whatever anybody was answered, by the place. */
  const seen = new Map<string, string>();
  let [url, adminUrl, port, token] = ["", "", 0, ""];

  const note = (place: string, text: string): void => {
    seen.set(`${seen.size} ${place}`, text);
  };

  /** A request whose whole answer is kept, but for the fields that hand a secret out. */
  const send = async (place: string, target: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(target, init);
    const text = await response.text();
    const cookie = response.headers.get("set-cookie") ?? "";
    const head = [...response.headers].filter(([name]) => name !== "set-cookie");
    const isJson = text !== "" && response.headers.get("content-type")?.includes("json") === true;
    const body = isJson ? toRecord(JSON.parse(text)) : {};
    const kept = JSON.stringify({ ...body, secret: undefined, token: undefined });
    note(`${place}: ${response.status}`, `${JSON.stringify(head)} ${isJson ? kept : text}`);
    return { status: response.status, body, cookie };
  };
  const admin = (path: string, method = "GET", body?: unknown, headers: Record<string, string> = {}) =>
    send(`${method} ${path.split("?", 1)[0]}`, `${adminUrl}/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : JSON_TYPE), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  const made = (name: string, answer: Answer, field = "secret"): string => {
    const secret = answer.body[field];
    if (typeof secret !== "string") throw new Error(`no ${field} for ${name}: ${JSON.stringify(answer)}`);
    secrets.set(name, secret);
    return secret;
  };

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), "sluice-secrets-"));
    await writeFile(join(cwd, "sluice.config.mjs"), CONFIG);
    server = new Command(
      [
        "start",
        "--dev",
        "--port",
        "0",
        "--admin-port",
        "0",
        "--log-level",
        "debug",
        "--store",
        "lmdb:./data",
      ],
      { cwd },
    );
    const [line] = await server.output(/\{.*"sluice is running".*\}/);
    await server.output(/first-start\.txt/);
    ({ url, adminUrl } = JSON.parse(line));
    port = Number(new URL(url).port);
    const text = await readFile(join(cwd, "data", "first-start.txt"), "utf8");
    token = text.match(/sla_[0-9A-Za-z]{40}/)?.[0] ?? "";
    secrets.set("the first admin token", token);
    secrets.set("the development key", text.match(/slc_[0-9A-Za-z]{38}/)?.[0] ?? "");
  });
  after(async () => {
    if (server.child.exitCode === null) await server.kill("SIGKILL");
    await rm(cwd, { recursive: true, force: true });
  });

  /** The key at every place of a request that takes one, over HTTP, polling and WebSocket. */
  const present = async (name: string, secret: string): Promise<void> => {
    const encoded = encodeURIComponent(secret);
    const places: [string, string, Record<string, string>][] = [
      ["Bearer", "", { authorization: `Bearer ${secret}` }],
      ["bare", "", { authorization: secret }],
      ["X-API-Key", "", { "x-api-key": secret }],
      ["query", `?apikey=${encoded}`, {}],
      ["another scheme", "", { authorization: `Basic ${secret}` }],
      ["two that differ", `?apikey=${encoded}&apikey=${UNKNOWN}`, { "x-api-key": secret }],
    ];
    for (const [place, query, headers] of places) {
      const what = `${name}, ${place}`;
      await send(`${what}, endpoint`, `${url}/api/fine${query}`, { headers });
      await send(`${what}, fault`, `${url}/api/fail${query}`, {
        method: "POST",
        headers: { ...headers, ...JSON_TYPE },
        body: "{}",
      });
      await send(`${what}, unknown path`, `${url}/api/none${query}`, { headers });
      await send(`${what}, bad body`, `${url}/channels/publish${query}`, {
        method: "POST",
        headers: { ...headers, ...JSON_TYPE },
        body: `{"apiKey": ${secret}`,
      });
      const amp = query === "" ? "?" : `${query}&`;
      await send(`${what}, unknown session`, `${url}/realtime/${amp}EIO=4&transport=polling&sid=none`, {
        headers,
      });
      await send(`${what}, bad transport`, `${url}/realtime/${amp}EIO=4&transport=none`, { headers });
      for (const transport of ["websocket", "polling"]) {
        const client = new SocketClient(url, undefined, {
          transports: [transport],
          extraHeaders: headers,
          query: Object.fromEntries(new URLSearchParams(query)),
        });
        await outcome(`${what}, ${transport}`, client);
      }
    }
    await outcome(`${name}, auth`, new SocketClient(url, { apiKey: secret }));
    await outcome(`${name}, auth in a list`, new SocketClient(url, { apiKey: [secret] }));
    const upgrading = new SocketClient(url, { apiKey: secret }, { transports: ["polling", "websocket"] });
    await outcome(`${name}, auth and upgrade`, upgrading);

    for (const [place, target, ...headers] of [
      ["a dot segment", `/api/../x?apikey=${encoded}`],
      ["the path", `/api/${encoded};x`],
      ["absolute form", `http://${encoded}@localhost/api/fine?apikey=${encoded}`],
      ["a repeated header", "/api/fine", `Authorization: Bearer ${secret}`, `Authorization: ${secret}`],
      ["a long header", "/api/fine", `X-API-Key: ${secret}`, `X-Long: ${"x".repeat(20_000)}`],
      ["a bad header", "/api/fine", `X-API-Key: ${secret}`, `Bad ${secret}`],
      ["a bad upgrade", `/realtime/?apikey=${encoded}`, "Upgrade: websocket", `X-API-Key: ${secret}`],
      ["an upgrade elsewhere", `/api/fine?apikey=${encoded}`, "Connection: upgrade", "Upgrade: websocket"],
    ] as const) {
      const { status, head, body } = await sendRaw(port, rawRequest("GET", target, headers));
      note(`${name}, ${place}: ${status}`, head + body);
    }
    const bad = await sendRaw(port, `GET /api/fine?apikey=${encoded} HTTP/9.9\r\n${secret}\r\n\r\n`);
    note(`${name}, no HTTP`, bad.head + bad.body);
  };

  /** Whether it was let in or not, with what it was told. */
  const outcome = async (place: string, client: SocketClient): Promise<void> => {
    const told = await Promise.race([
      client.next("connection:ready").then((ready) => JSON.stringify({ ...ready, resume: undefined })),
      client.next("connect_error").then((error) => JSON.stringify(error)),
    ]);
    note(place, told);
    client.close();
  };

  it("are seen nowhere: no log, error, audit, view, export or stored byte has one", async () => {
    const created = await admin("/keys", "POST", {
      name: "web frontend",
      allowRealtime: true,
      endpoints: { mode: "full-access" },
    });
    const secret = made("a key", created);
    const { id } = created.body;
    await present("a good key", secret);
    await present("a mistyped key", MISTYPED);
    await present("an unknown key", UNKNOWN);

    // What an operator does, rightly and wrongly.
    const patch = { "content-type": "application/merge-patch+json", "if-match": '"1"' };
    await admin(`/keys/${id}`, "PATCH", { allowRealtime: false }, patch);
    await present("a key that is denied", secret);
    await admin(`/keys/${id}`, "PATCH", { allowRealtime: true }, patch);
    await admin(`/keys/${id}`, "PATCH", { allowRealtime: true }, { ...patch, "if-match": secret });
    await admin(`/keys/${id}`, "PATCH", { apiKey: secret, secret }, { ...patch, "if-match": '"2"' });
    await admin(`/keys/${id}/preview`, "POST", { name: "x", secret });
    await admin(`/keys/${id}/restore`, "POST", { version: 1 }, { "if-match": '"2"' });
    const rotated = made(
      "a rotated secret",
      await admin(`/keys/${id}/rotate`, "POST", { overlapSeconds: 60 }),
    );
    await admin(`/keys/${id}/rotate`, "POST", { overlapSeconds: 60, secret: rotated });
    made("a secret without an overlap", await admin(`/keys/${id}/rotate`, "POST", { overlapSeconds: 0 }));
    await present("a secret that has ended", secret);
    const copy = await admin(`/keys/${id}/duplicate`, "POST", { name: "a copy" });
    made("a duplicate's secret", copy);
    for (const apiKey of [rotated, secret, MISTYPED, UNKNOWN])
      await admin("/explain", "POST", { apiKey, request: { action: "connect" } });
    await admin("/explain", "POST", { keyId: secret, request: { action: "connect", secret } });
    await admin(`/keys/${secret}`);
    await admin(`/keys?after=${secret}`);
    await admin(`/audit?before=${secret}&keyId=${secret}`);
    await admin("/keys", "POST", `{"name": ${secret}`);
    await admin("/keys", "POST", secret, { "content-type": "text/plain" });

    const agnost = { name: "agnost", allowRealtime: true, type: "full-access" };
    await admin("/keys/import/agnost", "POST", { apiKeys: [{ ...agnost, key: AGNOST }] });
    await admin("/keys/import/agnost", "POST", { apiKeys: [{ ...agnost, key: AGNOST }] });
    await admin("/keys/import/agnost", "POST", { apiKeys: [{ ...agnost, key: AGNOST_REFUSED }] });
    await admin("/keys/import/agnost", "POST", { apiKeys: [{ name: AGNOST.length, key: AGNOST }] });
    await present("an imported key", AGNOST);
    await admin("/keys/import", "POST", { keys: [{ id, secret }, { secrets: [{ digest: secret }] }] });

    // Signing in.
    const origin = { origin: new URL(adminUrl).origin };
    await admin("/session", "POST", { token: WRONG_TOKEN }, { authorization: "", ...origin });
    await admin("/session", "POST", { token }, { authorization: "", origin: "https://evil.example.com" });
    await admin("/session", "POST", `{"token": ${token}`, { authorization: "", ...origin });
    const { cookie } = await admin("/session", "POST", { token }, { authorization: "", ...origin });
    const session = cookie.match(/^sluice_session=([\w-]{43});/)?.[1] ?? "";
    secrets.set("a session", session);
    const signedIn = { authorization: "", cookie: `sluice_session=${session}` };
    expect((await admin("/session", "GET", undefined, signedIn)).status).to.equal(200);
    await admin("/keys", "POST", { name: "by the console" }, signedIn);
    const byConsole = await admin("/keys", "POST", { name: "by the console" }, { ...signedIn, ...origin });
    made("a secret for the console", byConsole);
    for (const wrong of [`Bearer ${WRONG_TOKEN}`, WRONG_TOKEN, `Basic ${token}`, `Bearer ${token} ${token}`])
      await admin("/keys", "GET", undefined, { authorization: wrong });
    const lines = [`Authorization: Bearer ${token}`, `Authorization: Bearer ${WRONG_TOKEN}`];
    const adminPort = Number(new URL(adminUrl).port);
    const repeated = await sendRaw(adminPort, rawRequest("GET", `/admin/v1/keys?token=${token}`, lines));
    note("a repeated admin token", repeated.head + repeated.body);
    token = made("the second admin token", await admin("/token/rotate", "POST", {}), "token");
    await admin("/keys", "GET", undefined, signedIn);

    // The command line.
    const env = { SLUICE_ADMIN_URL: adminUrl, SLUICE_ADMIN_TOKEN: token, XDG_CONFIG_HOME: cwd };
    for (const args of [
      ["keys", "list"],
      ["keys", "list", "--token", WRONG_TOKEN],
      ["check", "--key", rotated, "--connect"],
      ["context", "--token", token, "--url", adminUrl],
    ]) {
      const { stdout, stderr } = await runCommand(args, { cwd, env });
      note(`sluice ${args[0]} ${args[1]}`, stdout + stderr);
    }
    await rm(join(cwd, "sluice"), { recursive: true });

    // All that can be read.
    await admin(`/keys/${id}`);
    await admin(`/keys/${id}/versions`);
    await admin("/keys?limit=1000");
    await admin("/keys/export", "POST");
    for (const kind of ["deeds", "refusals"]) {
      let before = "";
      do {
        const page = await admin(`/audit?kind=${kind}&limit=7${before}`);
        before = typeof page.body["next"] === "string" ? `&before=${page.body["next"]}` : "";
      } while (before !== "");
    }
    await admin("/audit/verify");
    const audit = [...seen].filter(([place]) => place.includes("GET /audit: 200"));
    expect(audit.map(([, text]) => text).join(), "the audit has what was done")
      .to.include("key.rotated")
      .and.to.include("key.restored")
      .and.to.include("keys.imported")
      .and.to.include("session.opened")
      .and.to.include("denied");

    // Faults: a record that cannot be read, then a store whose file is gone.
    const storage = await openKeyStorage(`lmdb:${join(cwd, "data")}`);
    const { items } = toRecord((await admin("/keys?limit=1")).body);
    const [first] = Array.isArray(items) ? items : [];
    const damagedId = String(toRecord(first)["id"]);
    await storage.commit([{ key: `key:${damagedId}`, text: "{" }]);
    await storage.disconnect();
    await present("the key of a damaged record", secrets.get("the development key") ?? "");
    await admin(`/keys/${damagedId}`);
    await admin(`/keys/${damagedId}/rotate`, "POST", {});
    const stored = await bytesOf(join(cwd, "data"));
    await rename(join(cwd, "data"), join(cwd, "gone"));
    await admin("/keys", "POST", { name: "while the store is away" });
    await admin(`/keys/${copy.body["id"]}/rotate`, "POST", { overlapSeconds: 0 });
    await admin("/token/rotate", "POST", {});
    await present("a key while the store is away", AGNOST);
    await rename(join(cwd, "gone"), join(cwd, "data"));

    await server.kill("SIGTERM");
    note("standard output", server.stdout);
    note("standard error", server.stderr);
    expect(server.stdout, "the handler's fault is in the log").to.include("an endpoint's handler failed");

    for (const [name, text] of [...stored, ...(await bytesOf(join(cwd, "data")))])
      note(`the file ${name}`, text);
    expect(stored.map(([, text]) => text).join(), "the stored bytes can be searched").to.include(String(id));
    // All of it happened: what was let in, denied and refused, and both faults.
    const places = [...seen.keys()].join("\n");
    for (const place of [
      "a good key, query, endpoint: 200",
      "a good key, Bearer, fault: 500",
      "a mistyped key, X-API-Key, endpoint: 401",
      "an imported key, bare, endpoint: 200",
      "a good key, a dot segment: 400",
      `POST /keys/${damagedId}/rotate: 500`,
      "POST /keys: 503",
    ]) {
      expect(places).to.include(place);
    }
    const found: string[] = [];
    for (const [place, text] of seen) {
      for (const [name, one] of secrets) {
        expect(one.length, name).to.be.at.least(30);
        // Past the hint, and short enough to find a secret that was cut.
        if (text.includes(one.slice(10, 26))) found.push(`${place} shows ${name}`);
      }
      if (/apikey=/i.test(text)) found.push(`${place} shows apikey=`);
    }
    expect(found).to.deep.equal([]);
  }).timeout(120_000);
});

/** The raw bytes of every file of a folder, but for the one that hands out what the first start made. */
async function bytesOf(folder: string): Promise<[name: string, text: string][]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    files
      .filter((file) => file.isFile() && file.name !== "first-start.txt")
      .map(async ({ name, parentPath }) => [name, await readFile(join(parentPath, name), "latin1")] as const)
      .map(async (one): Promise<[string, string]> => [...(await one)]),
  );
}
