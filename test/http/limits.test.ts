import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const HOUR = { name: "hourly", windowSeconds: 3600 };

describe("a key's limits over HTTP", () => {
  let server: TestServer;
  let calls = 0;
  before(async () => {
    const handler = () => {
      calls += 1;
      return "called";
    };
    server = await startServer({
      config: {
        trustedProxies: ["127.0.0.1"],
        endpoints: [
          { id: "get", method: "GET", path: "/get", handler },
          { id: "post", method: "POST", path: "/post", handler },
          {
            id: "own",
            method: "GET",
            path: "/own",
            handler: () => new Response("own", { headers: { "x-own": "1" }, status: 202 }),
          },
          {
            id: "fail",
            method: "GET",
            path: "/fail",
            handler: () => {
              throw new Error("failed");
            },
          },
        ],
      },
    });
  });
  after(() => server.close());

  const limited = async (...limits: object[]): Promise<string> => {
    const settings = { allowRealtime: true, endpoints: { mode: "custom-excluded", list: ["POST /nowhere"] } };
    return (await server.createKey({ ...settings, limits: limits.map((limit) => ({ ...HOUR, ...limit })) }))
      .secret;
  };
  type Call = { method?: string; body?: unknown; from?: string; raw?: string };
  const call = (secret: string, path: string, { method, body, from, raw }: Call = {}): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      method: method ?? (body === undefined && raw === undefined ? "GET" : "POST"),
      headers: {
        "x-api-key": secret,
        ...(from === undefined ? {} : { "x-forwarded-for": from }),
        ...(body === undefined && raw === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(raw === undefined ? {} : { body: raw }),
    });
  const publish = (secret: string, more: object = {}, from?: string): Promise<Response> =>
    call(secret, "/channels/publish", {
      body: { channel: "room", eventName: "say", ...more },
      ...(from === undefined ? {} : { from }),
    });

  it("count publishes, broadcasts and endpoint calls in one budget, and show it on every answer", async () => {
    const secret = await limited({ limit: 5 });
    // A broadcast reaches the connections of its key, of which there has to be one.
    const listener = await new SocketClient(server.url, { apiKey: secret }).ready();
    const broadcast = () => call(secret, "/channels/broadcast", { body: { eventName: "all" } });
    const seen: (string | null)[] = [];
    for (const one of [
      () => publish(secret),
      broadcast,
      () => call(secret, "/api/get"),
      () => call(secret, "/api/get", { method: "HEAD" }),
      () => call(secret, "/api/own"),
    ]) {
      const response = await one();
      expect(response.status).to.be.oneOf([200, 202]);
      expect(response.headers.get("ratelimit-policy")).to.equal('"hourly";q=5;w=3600');
      expect(response.headers.get("retry-after")).to.equal(null);
      seen.push(response.headers.get("ratelimit"));
    }
    expect(seen[0]).to.match(/^"hourly";r=4;t=3600$/);
    expect(seen.map((field) => /r=\d/.exec(field ?? "")?.[0])).to.deep.equal([
      "r=4",
      "r=3",
      "r=2",
      "r=1",
      "r=0",
    ]);
    const before = calls;
    for (const one of [() => publish(secret), broadcast, () => call(secret, "/api/get")]) {
      const denied = await one();
      expect(denied.status).to.equal(429);
      expect(denied.headers.get("content-type")).to.include("application/problem+json");
      expect(denied.headers.get("ratelimit-policy")).to.equal('"hourly";q=5;w=3600');
      const [, seconds = ""] = /^"hourly";r=0;t=(\d+)$/.exec(denied.headers.get("ratelimit") ?? "") ?? [];
      expect(Number(seconds)).to.be.within(3_590, 3_600);
      expect(Number(denied.headers.get("retry-after"))).to.be.within(3_590, 3_600);
      expect(await denied.json()).to.include({ code: "rate_limit_exceeded", status: 429 });
    }
    expect(calls).to.equal(before);
    listener.close();
  });

  it("count sockets and HTTP in one budget per key and per address", async () => {
    for (const per of ["key", "address"]) {
      const secret = await limited({ limit: 2, per });
      const client = await new SocketClient(server.url, { apiKey: secret }).ready();
      const ack = () => client.request("message", { channel: "room", eventName: "say" });
      expect(await ack()).to.include({ ok: true });
      expect((await call(secret, "/api/get")).status).to.equal(200);
      expect(await ack()).to.include({ ok: false });
      expect((await publish(secret)).status).to.equal(429);
      client.close();
    }
  });

  it("count by address what counts by connection or client over sockets, an IPv6 /64 as one", async () => {
    for (const per of ["connection", "client", "address"]) {
      const secret = await limited({ limit: 1, per });
      expect((await publish(secret, {}, "203.0.113.1")).status).to.equal(200);
      expect((await publish(secret, {}, "203.0.113.1")).status).to.equal(429);
      expect((await publish(secret, {}, "203.0.113.2")).status).to.equal(200);
      expect((await publish(secret, {}, "2001:db8::1")).status).to.equal(200);
      expect((await publish(secret, {}, "2001:db8::2")).status).to.equal(429);
      expect((await publish(secret, {}, "2001:db8:0:1::1")).status).to.equal(200);
    }
  });

  it("are not spent by what is refused for another reason", async () => {
    const secret = await limited({ limit: 2, per: "key" }, { name: "own", limit: 1, per: "address" });
    expect((await publish(secret, { id: "x" })).status).to.equal(200);
    for (let i = 0; i < 3; i += 1) {
      // The address has used up its own limit: the one that all share stays as it is.
      expect((await publish(secret)).status).to.equal(429);
      expect((await call(secret, "/api/post", { raw: "{", from: "203.0.113.9" })).status).to.equal(400);
      expect(
        (
          await call(secret, "/channels/publish", {
            body: { channel: "a*", eventName: "x" },
            from: "203.0.113.9",
          })
        ).status,
      ).to.equal(400);
      expect(
        (await call(secret, "/channels/publish", { body: { surprise: 1 }, from: "203.0.113.9" })).status,
      ).to.equal(400);
      expect((await call(secret, "/api/none", { from: "203.0.113.9" })).status).to.equal(404);
      expect((await publish(`${secret}x`, {}, "203.0.113.9")).status).to.equal(401);
      expect((await publish(secret, { id: "x", message: i }, "203.0.113.9")).status).to.equal(409);
      expect((await call(secret, "/channels/members?channel=room", { from: "203.0.113.9" })).status).to.equal(
        200,
      );
    }
    const last = await publish(secret, {}, "203.0.113.9");
    expect(last.status).to.equal(200);
    expect(last.headers.get("ratelimit")).to.match(/^"hourly";r=0;t=\d+, "own";r=0;t=3600$/);
    expect((await publish(secret, {}, "203.0.113.10")).status).to.equal(429);
  });

  it("count a call whose handler fails", async () => {
    const secret = await limited({ limit: 1 });
    const failed = await call(secret, "/api/fail");
    expect(failed.status).to.equal(500);
    expect(failed.headers.get("ratelimit")).to.include("r=0");
    expect((await call(secret, "/api/fail")).status).to.equal(429);
  });

  it("count each message of a batch by itself", async () => {
    const secret = await limited({ limit: 3 });
    const message = { channel: "room", eventName: "say" };
    const messages = [message, { ...message, channel: "a*" }, message, message, message, message];
    const response = await call(secret, "/channels/publish/batch", { body: { messages } });
    expect(response.status).to.equal(200);
    expect(response.headers.get("ratelimit")).to.equal('"hourly";r=0;t=3600');
    const { results }: { results: { id?: string; error?: { code: string; afterMs?: number } }[] } =
      JSON.parse(await response.text());
    expect(results.map(({ error }) => error?.code ?? "ok")).to.deep.equal([
      "ok",
      "invalid_channel",
      "ok",
      "ok",
      "rate_limit_exceeded",
      "rate_limit_exceeded",
    ]);
    expect(results[4]?.error?.afterMs).to.be.within(3_590_000, 3_600_000);
  });

  it("let through exactly as many of many calls at once", async () => {
    const secret = await limited({ limit: 20, per: "key" }, { name: "wide", limit: 1_000, per: "key" });
    const client = await new SocketClient(server.url, { apiKey: secret }).ready();
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        if (i % 3 === 0) return (await publish(secret)).status === 200;
        if (i % 3 === 1) return (await call(secret, "/api/get")).status === 200;
        return (await client.request("message", { channel: "room", eventName: "say" }))["ok"] === true;
      }),
    );
    expect(answers.filter((isAllowed) => isAllowed)).to.have.length(20);
    client.close();
    const denied = await publish(secret);
    expect(denied.headers.get("ratelimit")).to.match(/"wide";r=980;/);
  });

  it("of reads count lists, members and history, with their headers, and of each kind apart", async () => {
    const secret = await limited(
      { name: "reads", kind: "reads", limit: 4 },
      { name: "calls", limit: 1 },
      { name: "joins", kind: "joins", limit: 1 },
    );
    const reads = [
      "/channels",
      "/channels/members?channel=room",
      "/channels/history?channel=room",
      "/agnost/realtime/get-members",
    ];
    const ask = (path: string): Promise<Response> =>
      call(secret, path, path.includes("agnost") ? { body: { channel: "room" } } : {});
    expect((await ask("/channels/members?channel=*")).status).to.equal(400);
    for (const [index, path] of reads.entries()) {
      const answer = await ask(path);
      expect(answer.status, path).to.equal(200);
      expect(answer.headers.get("ratelimit-policy")).to.equal('"reads";q=4;w=3600');
      expect(answer.headers.get("ratelimit")).to.include(`r=${3 - index}`);
    }
    for (const path of reads) {
      const denied = await ask(path);
      expect(denied.status, path).to.equal(429);
      expect(Number(denied.headers.get("retry-after"))).to.be.within(3_590, 3_600);
    }
    const published = await publish(secret);
    expect(published.status).to.equal(200);
    expect(published.headers.get("ratelimit-policy")).to.equal('"calls";q=1;w=3600');
    expect((await publish(secret)).status).to.equal(429);
  });

  it("show in explain by their kind", async () => {
    const limits = [{ ...HOUR, limit: 1, kind: "joins" }];
    const { id } = await server.createKey({ allowRealtime: true, limits });
    const checksOf = async (action: string): Promise<unknown> => {
      const request = { action, channel: "room", ip: "203.0.113.5" };
      const { body } = await server.admin("/explain", { method: "POST", body: { keyId: id, request } });
      const { checks } = body;
      return Array.isArray(checks) ? checks.filter(({ check }) => check === "limit") : [];
    };
    expect(await checksOf("join"))
      .to.have.nested.property("[0].message")
      .that.includes("hourly");
    expect(await checksOf("history")).to.deep.equal([]);
    expect(await checksOf("publish")).to.deep.equal([
      { check: "limit", passed: true, message: "no limit of the key counts this" },
    ]);
  });

  it("are counted with the key's usage", async () => {
    const { id, secret } = await server.createKey({ allowRealtime: true, limits: [{ ...HOUR, limit: 2 }] });
    for (let i = 0; i < 5; i += 1) await publish(secret);
    const { body } = await server.admin(`/keys/${id}`);
    expect(body).to.include({ allowed: 2 });
    expect(body["denied"]).to.deep.equal({ rate_limit_exceeded: 3 });
    expect(body["settings"])
      .to.have.property("limits")
      .that.deep.equals([{ ...HOUR, limit: 2, per: "connection" }]);
  });

  it("set no header for a key without limits", async () => {
    const secret = await limited();
    const response = await publish(secret);
    expect(response.status).to.equal(200);
    expect(response.headers.has("ratelimit")).to.equal(false);
    expect(response.headers.has("ratelimit-policy")).to.equal(false);
  });

  it("show in explain, which counts nothing", async () => {
    const { id, secret } = await server.createKey({ allowRealtime: true, limits: [{ ...HOUR, limit: 1 }] });
    const request = { action: "publish", channel: "room", ip: "203.0.113.5" };
    const ask = async (about: object) =>
      (await server.admin("/explain", { method: "POST", body: { ...about, request } })).body;
    const limitOf = ({ checks }: Record<string, unknown>): unknown =>
      Array.isArray(checks) ? checks.find(({ check }) => check === "limit") : undefined;
    for (const about of [{ keyId: id }, { apiKey: secret }, { keyId: id }]) {
      const answer = await ask(about);
      expect(answer["decision"]).to.deep.equal({ allowed: true });
      expect(limitOf(answer)).to.include({ passed: true });
    }
    expect((await publish(secret, {}, "203.0.113.5")).status).to.equal(200);
    for (const about of [{ keyId: id }, { apiKey: secret }]) {
      const answer = await ask(about);
      expect(answer["decision"]).to.include({ allowed: false, code: "rate_limit_exceeded", status: 429 });
      expect(limitOf(answer)).to.include({ passed: false });
    }
    const settings = { name: "not saved", allowRealtime: true, limits: [{ ...HOUR, limit: 1 }] };
    expect((await ask({ settings }))["decision"]).to.deep.equal({ allowed: true });
    const join = await server.admin("/explain", {
      method: "POST",
      body: { keyId: id, request: { ...request, action: "join" } },
    });
    expect(join.body["decision"]).to.deep.equal({ allowed: true });
  });
});
