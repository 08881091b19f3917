import { expect } from "chai";
import { AttemptLimit } from "../../src/admin/attempt-limit.ts";
import { Sessions } from "../../src/admin/session.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describe("admin access", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => server.close());

  const origin = (): string => `http://localhost:${new URL(server.adminUrl).port}`;
  const call = (path: string, init: RequestInit = {}) => fetch(`${server.adminUrl}/admin/v1${path}`, init);
  const json = { "content-type": "application/json" };
  const signIn = async (): Promise<string> => {
    const response = await call("/session", {
      method: "POST",
      headers: { ...json, origin: origin() },
      body: JSON.stringify({ token: server.adminToken }),
    });
    expect(response.status).to.equal(200);
    return response.headers.get("set-cookie") ?? "";
  };

  it("wants the token or a session for every call of the API, and the console's origin for every change", async () => {
    const { body } = await server.admin("/openapi.json");
    const cookie = (await signIn()).split(";", 1)[0] ?? "";
    const key = await server.createKey();
    const calls = Object.entries(toRecord(body["paths"])).flatMap(([path, item]) =>
      Object.keys(toRecord(item)).map((method) => ({
        method: method.toUpperCase(),
        path: path.replace("/admin/v1", "").replace("{id}", key.id),
      })),
    );
    expect(calls.length).to.be.at.least(25);
    for (const { method, path } of calls.filter((one) => one.path !== "/session")) {
      const what = `${method} ${path}`;
      const answered = async (headers: Record<string, string>): Promise<unknown> => {
        const answer = await call(path, { method, headers });
        return [answer.status, toRecord(await answer.json())["code"]];
      };
      expect(await answered({}), what).to.deep.equal([401, "missing_admin_token"]);
      expect(await answered({ authorization: "Basic x" }), what).to.deep.equal([401, "invalid_admin_token"]);
      const forged = { cookie: "sluice_session=made-up" };
      expect(await answered(forged), what).to.deep.equal([401, "missing_admin_token"]);
      if (method === "GET") continue;
      for (const foreign of [
        "https://evil.example",
        `${origin()}.evil.example`,
        "null",
        origin().toUpperCase(),
      ]) {
        expect(await answered({ cookie, origin: foreign }), what).to.deep.equal([403, "foreign_origin"]);
      }
      expect(await answered({ cookie }), what).to.deep.equal([403, "foreign_origin"]);
    }
    expect((await server.admin(`/keys/${key.id}`)).body["version"]).to.equal(1);
  });

  it("opens a session whose cookie scripts cannot read and other sites cannot use", async () => {
    const cookie = await signIn();
    expect(cookie).to.match(
      /^sluice_session=[\w-]{43}; Path=\/admin\/v1; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
    const headers = { cookie: cookie.split(";", 1)[0] ?? "" };
    expect((await call("/keys", { headers })).status).to.equal(200);
    expect((await call("/session", { headers })).status).to.equal(200);
    await call("/session", { method: "DELETE", headers: { ...headers, origin: origin() } });
    expect((await call("/keys", { headers })).status).to.equal(401);
  });

  it("takes a mutation by a session only from its own origin, to the letter", async () => {
    const cookie = (await signIn()).split(";", 1)[0] ?? "";
    const create = (headers: Record<string, string>) =>
      call("/keys", {
        method: "POST",
        headers: { ...json, cookie, ...headers },
        body: '{"name":"by session"}',
      });
    for (const from of ["", "null", "http://localhost:1", "http://evil.example", origin().toUpperCase()]) {
      const refused = await create(from === "" ? {} : { origin: from });
      expect(refused.status, from).to.equal(403);
    }
    expect((await create({ origin: origin() })).status).to.equal(201);
    const { body } = await server.admin("/audit?action=key.created");
    expect(JSON.stringify(body)).to.include('"by":"session"');
  });

  it("does not take a wrong token for a session", async () => {
    const wrong = await call("/session", {
      method: "POST",
      headers: { ...json, origin: origin() },
      body: '{"token":"wrong"}',
    });
    expect(wrong.status).to.equal(401);
    expect(wrong.headers.get("set-cookie")).to.equal(null);
  });

  it("finds the session among cookies that somebody planted, and ends it", async () => {
    const cookie = (await signIn()).split(";", 1)[0] ?? "";
    const planted = [
      `sluice_session=${"x".repeat(43)}`,
      "sluice_session=planted",
      "__Secure-sluice_session=",
    ];
    const many = Array.from({ length: 200 }, (_, n) => `sluice_session=${String(n).padStart(43, "x")}`);
    for (const header of [
      [...planted, cookie].join("; "),
      [cookie, ...planted].join("; "),
      [...many, cookie].join(";"),
    ]) {
      expect((await call("/keys", { headers: { cookie: header } })).status).to.equal(200);
    }
    const again = await call("/session", {
      method: "POST",
      headers: { ...json, origin: origin(), cookie: planted.join("; ") },
      body: JSON.stringify({ token: server.adminToken }),
    });
    expect(again.status).to.equal(200);
    const headers = { cookie: [...planted, cookie].join("; "), origin: origin() };
    expect((await call("/session", { method: "DELETE", headers })).status).to.equal(204);
    expect((await call("/keys", { headers: { cookie } })).status).to.equal(401);
  });

  it("answers a session's reads to the console's own pages alone", async () => {
    const cookie = (await signIn()).split(";", 1)[0] ?? "";
    const statusOf = async (path: string, headers: Record<string, string>): Promise<number> => {
      const going = new AbortController();
      const { status } = await call(path, { headers: { cookie, ...headers }, signal: going.signal });
      going.abort();
      return status;
    };
    const own = origin();
    for (const path of ["/keys", "/live", "/session", "/openapi.json", "/audit"]) {
      for (const site of ["same-site", "cross-site", "same-origin, none", "SAME-ORIGIN", ""]) {
        expect(await statusOf(path, { "sec-fetch-site": site }), `${path} ${site}`).to.equal(403);
      }
      for (const foreign of ["http://localhost:1", "https://evil.example", "null"]) {
        expect(await statusOf(path, { origin: foreign }), path).to.equal(403);
        const both = { origin: foreign, "sec-fetch-site": "same-origin" };
        expect(await statusOf(path, both), path).to.equal(403);
      }
      // Typed by somebody; the console's own; and browsers that do not say.
      for (const site of ["same-origin", "none"]) {
        expect(await statusOf(path, { "sec-fetch-site": site }), path).to.equal(200);
      }
      expect(await statusOf(path, { origin: own, "sec-fetch-site": "same-origin" }), path).to.equal(200);
      expect(await statusOf(path, {}), path).to.equal(200);
    }
    // With the token it does not matter from where.
    const bearer = { authorization: `Bearer ${server.adminToken}`, "sec-fetch-site": "cross-site" };
    expect((await call("/keys", { headers: bearer })).status).to.equal(200);
    const change = { cookie, ...json, origin: own, "sec-fetch-site": "same-site" };
    expect((await call("/keys", { method: "POST", headers: change, body: "{}" })).status).to.equal(403);
  });

  it("exports keys by POST alone", async () => {
    const cookie = (await signIn()).split(";", 1)[0] ?? "";
    expect((await call("/keys/export", { headers: { cookie } })).status).to.equal(404);
    expect((await call("/keys/export", { method: "POST", headers: { cookie } })).status).to.equal(403);
    const headers = { cookie, origin: origin() };
    expect((await call("/keys/export", { method: "POST", headers })).status).to.equal(200);
  });

  it("leaves a trace of wrong tokens and foreign origins, without the token", async () => {
    const wrong = "wrong-token-0123456789abcdef";
    await server.admin("/keys", { token: wrong });
    await server.admin(`/keys/${wrong}?token=${wrong}`, { token: wrong, method: "DELETE" });
    const cookie = (await signIn()).split(";", 1)[0] ?? "";
    await call("/keys", { method: "POST", headers: { cookie, origin: "https://evil.example" } });
    await call("/keys", {});
    const { body } = await server.admin("/audit?kind=refusals");
    const items = Array.isArray(body["items"]) ? body["items"].map(toRecord) : [];
    expect(items.map(({ code }) => code)).to.have.members(["invalid_admin_token", "foreign_origin"]);
    expect(items.find(({ code }) => code === "foreign_origin")).to.deep.include({
      action: "denied",
      wanted: "admin",
      endpoint: "POST /admin/v1/keys",
      origin: "https://evil.example",
      ip: "127.0.0.1",
    });
    expect(JSON.stringify(body)).to.not.include(wrong);
    const same = await server.admin("/audit?action=denied");
    expect(same.body).to.deep.equal(body);
  });

  it("limits wrong tokens of an address", async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 40; i += 1) {
      statuses.push((await server.admin("/keys", { token: "wrong" })).status);
    }
    expect(statuses[0]).to.equal(401);
    expect(statuses.at(-1)).to.equal(429);
    const limited = await server.admin("/keys", { token: "wrong" });
    expect(Number(limited.headers.get("retry-after"))).to.be.at.least(1);
    // Whoever has the right one is not locked out by a neighbour.
    expect((await server.admin("/keys")).status).to.equal(200);
  });

  it("rotates the token it made itself, and ends what was opened with the old one", async () => {
    const own = await startServer({ config: { adminToken: undefined } });
    const made = own.started.firstStart.madeAdminToken ?? "";
    const at = `http://localhost:${new URL(own.adminUrl).port}`;
    const opened = await fetch(`${own.adminUrl}/admin/v1/session`, {
      method: "POST",
      headers: { ...json, origin: at },
      body: JSON.stringify({ token: made }),
    });
    const cookie = opened.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    expect((await fetch(`${own.adminUrl}/admin/v1/keys`, { headers: { cookie } })).status).to.equal(200);
    const { body } = await own.admin("/token/rotate", { method: "POST", token: made });
    expect(body["token"]).to.match(/^sla_[0-9A-Za-z]{40}$/);
    expect((await own.admin("/keys", { token: made })).status).to.equal(401);
    expect((await own.admin("/keys", { token: String(body["token"]) })).status).to.equal(200);
    expect((await fetch(`${own.adminUrl}/admin/v1/keys`, { headers: { cookie } })).status).to.equal(401);
    await own.close();
    expect((await server.admin("/token/rotate", { method: "POST" })).status).to.equal(501);
  });
});

describe("attempt limit", () => {
  it("looks at nothing of an address that failed too often, until time has passed", () => {
    let nowMs = 0;
    const limit = new AttemptLimit({ burst: 2, perSecond: 1, now: () => nowMs });
    limit.failed("a");
    expect(limit.waitMs("a")).to.equal(0);
    limit.failed("a");
    expect(limit.waitMs("a")).to.equal(1_000);
    expect(limit.waitMs("b")).to.equal(0);
    nowMs += 1_000;
    expect(limit.waitMs("a")).to.equal(0);
  });
});

describe("sessions", () => {
  it("end with their time", () => {
    let nowMs = 0;
    const sessions = new Sessions(() => nowMs);
    const cookie = sessions.open("token", true).cookie;
    expect(cookie).to.match(
      /^__Secure-sluice_session=.*; Path=\/admin\/v1; HttpOnly; SameSite=Strict; .*; Secure$/,
    );
    const header = cookie.split(";", 1)[0];
    expect(sessions.find(header)).to.not.equal(undefined);
    nowMs += 12 * 60 * 60 * 1_000;
    expect(sessions.find(header)).to.equal(undefined);
  });
});
