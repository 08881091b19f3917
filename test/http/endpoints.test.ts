import { expect } from "chai";
import { defineConfig } from "../../src/config/config.ts";
import { rawRequest, sendRaw } from "../helpers/raw-http.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("endpoints", () => {
  let server: TestServer;
  let full: string;

  before(async () => {
    const { endpoints = [] } = defineConfig({
      endpoints: [
        { id: "list-orders", method: "GET", path: "/orders", handler: () => [1, 2] },
        {
          id: "create-order",
          method: "POST",
          path: "/orders",
          handler: ({ body, key }) => ({ body, key: key.name }),
        },
        { id: "get-order", method: "GET", path: "/orders/:id", handler: ({ params }) => params },
        { id: "files", method: "GET", path: "/files/*", handler: ({ params }) => params },
        { id: "secret-file", method: "GET", path: "/files/secret", handler: () => "secret" },
        { id: "admin", method: "GET", path: "/v1/admin", handler: () => "admin" },
        { id: "nothing", method: "DELETE", path: "/orders/:id", handler: () => undefined },
        { id: "teapot", method: "GET", path: "/teapot", handler: () => new Response("tea", { status: 418 }) },
        {
          id: "moved",
          method: "GET",
          path: "/moved",
          handler: () => new Response(null, { status: 302, headers: { location: "/orders" } }),
        },
        {
          id: "echo",
          method: "GET",
          path: "/echo",
          handler: ({ headers, query }) => ({ headers, query: Object.fromEntries(query) }),
        },
        {
          id: "broken",
          method: "GET",
          path: "/broken",
          handler: () => {
            throw Object.assign(new Error("the password is hunter2"), { statusCode: 404 });
          },
        },
        {
          id: "tell",
          method: "POST",
          path: "/tell",
          handler: ({ realtime }) => realtime.publish("news", "told", { n: 1 }),
        },
      ],
    });
    server = await startServer({ config: { endpoints } });
    full = (await server.createKey({ endpoints: { mode: "full-access", list: [] }, allowRealtime: true }))
      .secret;
  });
  after(() => server.close());

  const call = (
    path: string,
    headers: Record<string, string> = { authorization: `Bearer ${full}` },
    init = {},
  ) => fetch(`${server.url}/api${path}`, { headers, ...init });
  const keyWith = async (settings: Record<string, unknown>): Promise<Record<string, string>> => ({
    authorization: `Bearer ${(await server.createKey(settings)).secret}`,
  });

  it("takes the key in every way it may be sent", async () => {
    for (const headers of [
      { authorization: `Bearer ${full}` },
      { authorization: `bearer ${full}` },
      { authorization: full },
      { "x-api-key": full },
      { "x-api-key": full, authorization: `Bearer ${full}` },
    ]) {
      expect((await call("/orders", headers)).status).to.equal(200);
    }
    expect((await call(`/orders?apikey=${full}`, {})).status).to.equal(200);
  });

  it("refuses no key, a bad key, two different keys and a repeated header with 401 and a challenge", async () => {
    const other = (await server.createKey()).secret;
    const cases: Record<string, string>[] = [
      {},
      { authorization: "" },
      { authorization: `Bearer ${full}x` },
      { authorization: `Basic ${full}` },
      { authorization: `Bearer ${full}`, "x-api-key": other },
    ];
    for (const headers of cases) {
      const response = await call("/orders", headers);
      expect(response.status).to.equal(401);
      expect(response.headers.get("www-authenticate")).to.match(/^Bearer/);
      expect(response.headers.get("content-type")).to.match(/^application\/problem\+json/);
      expect(await response.json()).to.include.keys("code", "title", "detail", "status", "type");
    }
    for (const name of ["Authorization", "X-API-Key"]) {
      const line = `${name}: ${full}`;
      expect((await sendRaw(server.port, rawRequest("GET", "/api/orders", [line]))).status).to.equal(200);
      expect((await sendRaw(server.port, rawRequest("GET", "/api/orders", [line, line]))).status).to.equal(
        401,
      );
      expect(
        (await sendRaw(server.port, rawRequest("GET", "/api/orders", [line, `${name}: x`]))).status,
      ).to.equal(401);
    }
    const twice = await call(`/orders?apikey=${full}&apikey=${full}`, {});
    expect(twice.status).to.equal(401);
  });

  it("does not take a key in the query where that is turned off", async () => {
    const strict = await startServer({ config: { apiKeyInQuery: false } });
    const { secret } = await strict.createKey({ allowRealtime: true });
    expect((await fetch(`${strict.url}/channels/members?channel=a&apikey=${secret}`)).status).to.equal(401);
    await strict.close();
  });

  it("decides by the endpoint modes, ids and declared routes", async () => {
    const none = await keyWith({});
    expect(await (await call("/orders", none)).json()).to.include({
      code: "endpoint_not_allowed",
      status: 403,
    });
    const some = await keyWith({
      endpoints: { mode: "custom-allowed", list: ["list-orders", "GET /files/*"] },
    });
    expect((await call("/orders", some)).status).to.equal(200);
    expect((await call("/orders", some, { method: "POST" })).status).to.equal(403);
    expect((await call("/orders/1", some)).status).to.equal(403);
    expect((await call("/files/a/b", some)).status).to.equal(200);
    // The more specific route is an endpoint of its own.
    expect((await call("/files/secret", some)).status).to.equal(403);
    const allBut = await keyWith({ endpoints: { mode: "custom-excluded", list: ["GET /v1/admin"] } });
    expect((await call("/orders/1", allBut)).status).to.equal(200);
    for (const spelling of ["/v1/admin", "/v1/%61dmin", "/%76%31/admin", "/v1/admin?x=1", "/v1/adm%69n"]) {
      expect((await call(spelling, allBut)).status, spelling).to.equal(403);
      expect((await call(spelling)).status, spelling).to.equal(200);
    }
  });

  it("lets HEAD follow GET", async () => {
    const some = await keyWith({ endpoints: { mode: "custom-allowed", list: ["GET /orders"] } });
    expect((await call("/orders", some, { method: "HEAD" })).status).to.equal(200);
    const allBut = await keyWith({ endpoints: { mode: "custom-excluded", list: ["GET /orders"] } });
    expect((await call("/orders", allBut, { method: "HEAD" })).status).to.equal(403);
  });

  it("lets HEAD follow a GET that answers with a Response", async () => {
    const tea = await call("/teapot", undefined, { method: "HEAD" });
    expect(tea.status).to.equal(418);
    expect(tea.headers.get("content-type")).to.equal("text/plain;charset=UTF-8");
    expect(await tea.text()).to.equal("");
    const moved = await call("/moved", undefined, { method: "HEAD", redirect: "manual" });
    expect(moved.status).to.equal(302);
    expect(moved.headers.get("location")).to.equal("/orders");
  });

  it("answers an unknown path with 401 without a good key and 404 with one", async () => {
    expect((await call("/nowhere", {})).status).to.equal(401);
    expect((await call("/nowhere", { authorization: "Bearer nobody" })).status).to.equal(401);
    expect((await call("/nowhere", await keyWith({ enabled: false }))).status).to.equal(401);
    expect((await call("/nowhere")).status).to.equal(404);
    expect((await call("/orders", { authorization: "Bearer x" }, { method: "PUT" })).status).to.equal(401);
    expect((await call("/orders", { authorization: `Bearer ${full}` }, { method: "PUT" })).status).to.equal(
      404,
    );
  });

  it("checks domains and addresses as sockets do", async () => {
    const site = await keyWith({
      endpoints: { mode: "full-access", list: [] },
      domains: { mode: "specified", list: ["https://*.example.com"] },
    });
    expect(await (await call("/orders", site)).json()).to.include({ code: "missing_request_origin" });
    const from = (origin: string): Record<string, string> => ({ ...site, origin });
    expect((await call("/orders", from("https://app.example.com"))).status).to.equal(200);
    expect(await (await call("/orders", from("https://a.b.example.com"))).json()).to.include({
      code: "domain_not_authorized",
    });
    const away = await keyWith({
      endpoints: { mode: "full-access", list: [] },
      ips: { mode: "specified", list: ["10.0.0.0/8"] },
    });
    expect(await (await call("/orders", away)).json()).to.include({ code: "ip_not_authorized" });
    // Nobody declared a proxy on this machine: what it forwards is not believed, and neither is its own address.
    const here = await keyWith({
      endpoints: { mode: "full-access", list: [] },
      ips: { mode: "specified", list: ["127.0.0.0/8", "::1"] },
    });
    expect((await call("/orders", here)).status).to.equal(200);
    expect(await (await call("/orders", { ...here, "x-forwarded-for": "127.0.0.1" })).json()).to.include({
      code: "missing_client_ip",
    });
  });

  it("sees a change of a key at once", async () => {
    const key = await server.createKey({ endpoints: { mode: "full-access", list: [] } });
    const headers = { authorization: `Bearer ${key.secret}` };
    expect((await call("/orders", headers)).status).to.equal(200);
    await server.patchKey(key.id, { endpoints: { mode: "no-access" } });
    expect((await call("/orders", headers)).status).to.equal(403);
    await server.deleteKey(key.id);
    expect((await call("/orders", headers)).status).to.equal(401);
  });

  it("hands the request over without the key, and answers with what comes back", async () => {
    const json = { authorization: `Bearer ${full}`, "content-type": "application/json" };
    const created = await call("/orders", json, { method: "POST", body: '{"a":1}' });
    expect(await created.json()).to.deep.equal({ body: { a: 1 }, key: "test key" });
    expect(await (await call("/orders/a%2Db")).json()).to.deep.equal({ id: "a-b" });
    expect((await call("/orders/1", undefined, { method: "DELETE" })).status).to.equal(204);
    expect((await call("/teapot")).status).to.equal(418);
    const echoed = await (
      await call(`/echo?a=1&apikey=${full}`, { "x-api-key": full, "x-other": "o" })
    ).text();
    expect(echoed).to.not.include(full);
    expect(JSON.parse(echoed)).to.have.nested.property("headers.x-other", "o");
  });

  it("says nothing of a fault but that it happened", async () => {
    const response = await call("/broken");
    expect(response.status).to.equal(500);
    expect(await response.text())
      .to.include("internal_error")
      .and.to.not.include("hunter2");
  });

  it("refuses a body that is no JSON, is poisoned, is too large or of another type", async () => {
    const post = async (body: string, type = "application/json"): Promise<number> =>
      (
        await call(
          "/orders",
          { authorization: `Bearer ${full}`, "content-type": type },
          { method: "POST", body },
        )
      ).status;
    expect(await post("{")).to.equal(400);
    expect(await post('{"__proto__":{"a":1}}')).to.equal(400);
    expect(await post(`"${"x".repeat(1_100_000)}"`)).to.equal(413);
    expect(await post("<a/>", "application/xml")).to.equal(415);
  });

  it("publishes from a handler", async () => {
    const client = await new SocketClient(server.url, { apiKey: full }).ready();
    await client.request("join", { channel: "news" });
    const answer = await (await call("/tell", undefined, { method: "POST" })).json();
    expect(await client.next("told")).to.deep.include({
      channel: "news",
      message: { n: 1 },
      from: null,
      ...answer,
    });
    client.close();
  });

  it("answers a preflight without a key and runs nothing", async () => {
    const response = await call(
      "/orders",
      {
        origin: "https://app.example.com",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
      { method: "OPTIONS" },
    );
    expect(response.status).to.equal(204);
    expect(response.headers.get("access-control-allow-origin")).to.equal("https://app.example.com");
    expect(response.headers.get("access-control-allow-credentials")).to.equal("true");
    expect(response.headers.get("access-control-allow-headers")).to.include("authorization");
    expect(response.headers.get("access-control-allow-methods")).to.include("POST");
  });

  it("lets a page of a refused domain read why", async () => {
    const site = await keyWith({ domains: { mode: "specified", list: ["https://a.example.com"] } });
    const response = await call("/orders", { ...site, origin: "https://b.example.com" });
    expect(response.status).to.equal(403);
    expect(response.headers.get("access-control-allow-origin")).to.equal("https://b.example.com");
    expect(response.headers.get("vary")).to.match(/origin/i);
  });
});
