import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { expect } from "chai";
import { WebSocket } from "ws";
import type { EndpointDeclaration } from "../../src/config/config.ts";
import { rawRequest, sendRaw } from "../helpers/raw-http.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

const throwing = (id: string, value: unknown): EndpointDeclaration => ({
  id,
  method: "GET",
  path: `/${id}`,
  handler: () => {
    throw value;
  },
});
const returning = (id: string, value: () => unknown): EndpointDeclaration => ({
  id,
  method: "GET",
  path: `/${id}`,
  handler: value,
});

describe("the listeners under odd requests", () => {
  let server: TestServer;
  let key: { id: string; secret: string };
  let calls = 0;
  const parked: (() => void)[] = [];

  before(async () => {
    server = await startServer({
      config: {
        endpoints: [
          { id: "one", method: "GET", path: "/one/:id", handler: ({ params }) => params },
          { id: "remove", method: "DELETE", path: "/one/:id", handler: () => "gone" },
          {
            id: "slow",
            method: "GET",
            path: "/slow",
            handler: () => new Promise((resolve) => parked.push(() => resolve("slow"))),
          },
          {
            id: "post",
            method: "POST",
            path: "/post",
            handler: () => {
              calls += 1;
              return "in";
            },
          },
          throwing("null", null),
          throwing("undefined", undefined),
          throwing("validation", { validation: [{ message: "inner" }], statusCode: 400 }),
          throwing("status", Object.assign(new Error("inner"), { statusCode: 404, code: "FST_ERR_X" })),
          returning("stream", () => Readable.from(["x"])),
          returning("function", () => () => 1),
          returning("bigint", () => ({ n: 10n })),
          {
            id: "tell",
            method: "GET",
            path: "/tell",
            handler: ({ realtime }) => realtime.publish("c", "x", { n: 10n }),
          },
        ],
      },
    });
  });
  beforeEach(async () => {
    key = await server.createKey({ endpoints: { mode: "full-access", list: [] }, allowRealtime: true });
  });
  after(() => server.close());
  const keyed = (): string => `Authorization: Bearer ${key.secret}`;

  it("begin the requests that one connection sends at once one after the other, and refuse what is too many", async () => {
    const one = `GET /api/slow HTTP/1.1\r\nHost: localhost\r\nauthorization: Bearer ${key.secret}\r\n\r\n`;
    const answers = sendRaw(server.port, one.repeat(60));
    for (let n = 0; n < 20; n += 1) {
      while (parked.length === 0)
        await fetch(`${server.url}/api/one/1`, { headers: { "x-api-key": key.secret } });
      // Whatever else was to begin would have begun by the time that another call is answered.
      await fetch(`${server.url}/api/one/1`, { headers: { "x-api-key": key.secret } });
      expect(parked.length).to.equal(1);
      for (const release of parked.splice(0)) release();
    }
    const { head, body } = await answers;
    const statuses = `${head}\r\n${body}`.match(/HTTP\/1\.1 (\d+)/g) ?? [];
    expect(statuses).to.deep.equal([...Array.from({ length: 20 }, () => "HTTP/1.1 200"), "HTTP/1.1 429"]);
    expect(body.toLowerCase()).to.include("rate_limit_exceeded").and.include("retry-after: 1");
  });

  it("go on after many requests on one connection, each sent when the one before was answered", async () => {
    const socket = connect(server.port, "127.0.0.1");
    for (let n = 0; n < 60; n += 1) {
      socket.write(`GET /api/one/${n} HTTP/1.1\r\nHost: localhost\r\nx-api-key: ${key.secret}\r\n\r\n`);
      const [answer] = await once(socket, "data");
      expect(String(answer)).to.include("200 OK").and.include(`{"id":"${n}"}`);
    }
    socket.destroy();
  });

  it("live through segments of any length, on both listeners", async () => {
    const long = "a".repeat(12_000);
    for (const path of [`/${long}/agnost/realtime/get-members`, `/api/one/${long}`, `/${long}`]) {
      expect((await sendRaw(server.port, rawRequest("POST", path))).status).to.be.within(400, 404);
    }
    expect((await sendRaw(server.port, rawRequest("GET", `/api/one/${long}`))).status).to.equal(401);
    expect((await sendRaw(server.port, rawRequest("GET", `/api/one/${long}`, [keyed()]))).status).to.equal(
      200,
    );
    const adminPort = Number(new URL(server.adminUrl).port);
    expect((await sendRaw(adminPort, rawRequest("GET", `/admin/v1/keys/${long}`))).status).to.equal(401);
  });

  it("ignore the wish to upgrade to a protocol that they do not know", async () => {
    const lines = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA", keyed()];
    const request = rawRequest("GET", "/api/one/1", lines).replace(
      "Connection: close",
      "Connection: Upgrade, HTTP2-Settings, close",
    );
    const { status, body } = await sendRaw(server.port, request);
    expect(status).to.equal(200);
    expect(body).to.include('"id":"1"');
    const withBody = rawRequest("POST", "/api/post", [
      ...lines,
      "Content-Type: application/json",
      "Content-Length: 2",
    ]).replace("Connection: close", "Connection: Upgrade, HTTP2-Settings, close");
    expect((await sendRaw(server.port, `${withBody}{}`)).status).to.equal(200);
  });

  it("answer pipelined requests in their order, a refused target too", async () => {
    const first = rawRequest("GET", "/api/slow", [keyed()]).replace("Connection: close\r\n", "");
    const received = sendRaw(server.port, first + rawRequest("GET", "/a//b"));
    while (parked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const go of parked.splice(0)) go();
    const { status, body } = await received;
    expect(status).to.equal(200);
    expect(body).to.match(/^slow/).and.to.include("HTTP/1.1 400").and.to.include("ambiguous_target");
  });

  for (const [what, patch] of [
    ["disabled", { enabled: false }],
    ["stripped of its endpoints", { endpoints: { mode: "no-access" } }],
  ] as const) {
    it(`decide again when a key is ${what} while a body is read`, async () => {
      const before = calls;
      const head = rawRequest("POST", "/api/post", [
        keyed(),
        "Content-Type: application/json",
        "Content-Length: 8",
      ]);
      const socket: Socket = connect(server.port, "127.0.0.1");
      await once(socket, "connect");
      socket.write(`${head}{"a"`);
      // The head has been decided when another request of the same key has.
      await sendRaw(server.port, rawRequest("GET", "/api/one/1", [keyed()]));
      await server.patchKey(key.id, patch);
      socket.write(": 1}");
      const [answer] = await once(socket, "data");
      expect(String(answer)).to.match(/^HTTP\/1\.1 40[13]/);
      expect(calls).to.equal(before);
      socket.destroy();
    });
  }

  for (const id of ["null", "undefined", "validation", "status", "stream", "function", "bigint", "tell"]) {
    it(`answer with one kind of fault what the handler "${id}" does`, async () => {
      const response = await fetch(`${server.url}/api/${id}`, { headers: { "x-api-key": key.secret } });
      expect(response.status).to.equal(500);
      const text = await response.text();
      expect(JSON.parse(text)).to.include({ code: "internal_error" });
      expect(text).to.not.include("inner");
    });
  }

  it("take a DELETE that names JSON and has no body", async () => {
    const headers = { "x-api-key": key.secret, "content-type": "application/json" };
    const response = await fetch(`${server.url}/api/one/1`, { method: "DELETE", headers });
    expect(response.status).to.equal(200);
  });

  it("answer what is not there below the SDK with 404, and a wrong range with the file", async () => {
    expect((await fetch(`${server.url}/sdk/`)).status).to.equal(404);
    expect((await fetch(`${server.url}/sdk/nothing.js`)).status).to.equal(404);
    const file = await fetch(`${server.url}/sdk/sluice.js`, { headers: { range: "bytes=999999999-" } });
    expect(file.status).to.equal(200);
    expect(file.headers.get("access-control-allow-origin")).to.equal("*");
    expect(file.headers.get("cross-origin-resource-policy")).to.equal("cross-origin");
    await file.arrayBuffer();
  });

  it("refuse a patch that is nested deep or names __proto__, by its place", async () => {
    const patch = (text: string): Promise<Response> =>
      fetch(`${server.adminUrl}/admin/v1/keys/${key.id}`, {
        method: "PATCH",
        body: text,
        headers: {
          authorization: `Bearer ${server.adminToken}`,
          "content-type": "application/merge-patch+json",
          "if-match": '"1"',
        },
      });
    const deep = await patch(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`);
    expect(deep.status).to.equal(400);
    const poisoned = await (await patch('{"metadata":{"__proto__":{"x":1}}}')).json();
    expect(poisoned).to.have.nested.property("faults[0].pointer", "/metadata/__proto__");
  });

  it("read no body before somebody is known", async () => {
    const adminPort = Number(new URL(server.adminUrl).port);
    for (const [port, path, status] of [
      [server.port, "/nothing", 404],
      [server.port, "/sdk/sluice.js", 404],
      [server.port, "/api/nothing", 401],
      [server.port, "/api/post", 401],
      [server.port, "/channels/publish", 401],
      [server.port, "/agnost/realtime/get-members", 401],
      [adminPort, "/nothing", 404],
      [adminPort, "/console/nothing", 404],
      [adminPort, "/admin/v1/keys", 401],
      [adminPort, "/admin/v1/nothing", 401],
      [adminPort, "/admin/v1/session", 413],
    ] as const) {
      const socket = connect(port, "127.0.0.1");
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\n`;
      socket.write(`${head}Origin: https://a.example\r\nContent-Length: 1000000\r\n\r\n"a`);
      const [answer] = await once(socket, "data");
      expect(String(answer), path).to.match(new RegExp(`^HTTP/1.1 ${status} `));
      if (port === server.port)
        expect(String(answer)).to.include("access-control-allow-origin: https://a.example");
      socket.destroy();
    }
  });

  it("refuse Engine.IO requests of unknown sessions and JSONP as problems", async () => {
    for (const query of ["sid=nobody", "sid=__proto__", "j=0"]) {
      const response = await fetch(`${server.url}/realtime/?EIO=4&transport=polling&${query}`);
      expect(response.status).to.equal(400);
      expect(await response.json()).to.include({ code: "invalid_request" });
    }
  });
});

describe("closing a server", () => {
  it("ends waiting upgrades, silent connections, half requests and hanging handlers in time", async () => {
    const server = await startServer({
      config: {
        maxPendingPerAddress: 2,
        endpoints: [{ id: "hang", method: "GET", path: "/hang", handler: () => new Promise(() => {}) }],
      },
    });
    const { secret } = await server.createKey({ endpoints: { mode: "full-access", list: [] } });
    const adminPort = Number(new URL(server.adminUrl).port);
    const sockets: Socket[] = [];
    const open = (port: number, text: string): void => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(text);
      sockets.push(socket);
    };
    for (let i = 0; i < 20; i += 1) {
      const upgrade = new WebSocket(`ws://127.0.0.1:${server.port}/realtime/?EIO=4&transport=websocket`);
      upgrade.on("error", () => {});
    }
    for (const port of [server.port, adminPort]) {
      for (let i = 0; i < 5; i += 1) open(port, "");
      open(port, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
    }
    open(server.port, rawRequest("GET", "/api/hang", [`X-API-Key: ${secret}`]));
    expect((await fetch(`${server.url}/healthz`)).status).to.equal(200);
    const startedAt = performance.now();
    await server.close();
    expect(performance.now() - startedAt).to.be.below(4_500);
    for (const socket of sockets) socket.destroy();
  });
});
