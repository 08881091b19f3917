import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { rawRequest, sendRaw } from "../helpers/raw-http.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describe("the head of a request", () => {
  let server: TestServer;
  let adminPort: number;
  let key: { secret: string };
  const seen: string[] = [];

  before(async () => {
    server = await startServer({
      config: {
        endpoints: [
          {
            id: "note",
            method: "POST",
            path: "/note",
            handler: ({ body }) => {
              seen.push(JSON.stringify(body));
              return "noted";
            },
          },
        ],
      },
    });
    adminPort = Number(new URL(server.adminUrl).port);
    key = await server.createKey({ endpoints: { mode: "full-access" }, allowRealtime: true });
  });
  beforeEach(() => seen.splice(0));
  after(() => server.close());

  const upgrade = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"];
  const lines = (count: number): string[] => Array.from({ length: count }, () => "a:b");
  const asUpgrade = (request: string): string =>
    request.replace("Connection: close", "Connection: Upgrade, HTTP2-Settings, close");

  for (const count of [256, 1_000, 2_000]) {
    it(`is refused with ${count} header lines, also as an upgrade, and what follows is not read as a request`, async () => {
      const smuggled = rawRequest("POST", "/api/note", [
        `X-API-Key: ${key.secret}`,
        "Content-Type: application/json",
        "Content-Length: 3",
      ]);
      const body = `${smuggled}"s"`;
      for (const port of [server.port, adminPort]) {
        for (const wish of [[], upgrade, ["Upgrade: websocket"]]) {
          const head = rawRequest("POST", "/api/note", [
            ...wish,
            ...lines(count),
            `X-API-Key: ${key.secret}`,
            `Content-Length: ${body.length}`,
          ]);
          const { status, body: answer } = await sendRaw(
            port,
            (wish.length > 0 ? asUpgrade(head) : head) + body,
          );
          expect(status).to.equal(431);
          expect(answer).to.include("headers_too_large").and.not.include("HTTP/1.1");
        }
      }
      expect(seen).to.deep.equal([]);
    });
  }

  it("keeps its length through an upgrade that is ignored, and so do the requests behind it", async () => {
    const first = asUpgrade(
      rawRequest("POST", "/api/note", [
        ...upgrade,
        ...lines(200),
        `X-API-Key: ${key.secret}`,
        "Content-Type: application/json",
        "Content-Length: 5",
      ]),
    ).replace(", close", "");
    const chunked = asUpgrade(
      rawRequest("POST", "/api/note", [
        ...upgrade,
        `X-API-Key: ${key.secret}`,
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
      ]),
    ).replace(", close", "");
    const last = rawRequest("POST", "/api/note", [
      `X-API-Key: ${key.secret}`,
      "Content-Type: application/json",
      "Content-Length: 3",
    ]);
    const text = `${first}"one"${chunked}5\r\n"two"\r\n0\r\n\r\n${last}"3"`;
    const { head, body } = await sendRaw(server.port, text);
    // From Node 24.9 on the first one is the last of its connection.
    const count = "shouldUpgradeCallback" in createServer() ? 1 : 3;
    expect(`${head}${body}`.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(Array(count).fill("HTTP/1.1 200"));
    expect(seen).to.deep.equal(['"one"', '"two"', '"3"'].slice(0, count));
  });

  it("may wish for another protocol again and again on one connection, which costs nothing that stays", async () => {
    const one = rawRequest("GET", "/healthz", upgrade).replace(
      "Connection: close",
      "Connection: Upgrade, HTTP2-Settings",
    );
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on("warning", onWarning);
    const socket: Socket = connect(server.port, "127.0.0.1");
    socket.setEncoding("latin1");
    for (let n = 0; n < 30; n += 1) {
      socket.write(one);
      let answer = "";
      while (!answer.endsWith('{"status":"ok"}')) {
        answer += await new Promise<string>((resolve) => socket.once("data", resolve));
      }
      expect(answer).to.match(/^HTTP\/1\.1 200 /);
    }
    socket.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    expect(warnings).to.deep.equal([]);
  });

  for (const framing of [
    ["Content-Length: 3", "Transfer-Encoding: chunked"],
    ["Content-Length: 3", "Content-Length: 3"],
    ["Content-Length: 3", "Content-Length: 30"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ["Transfer-Encoding: xchunked"],
    ["Content-Length: +3"],
    ["Content-Length : 3"],
  ]) {
    it(`is refused with ${framing.join(" and ")}, also as an upgrade`, async () => {
      for (const port of [server.port, adminPort]) {
        for (const wish of [[], upgrade]) {
          const head = rawRequest("POST", "/api/note", [
            ...wish,
            `X-API-Key: ${key.secret}`,
            "Content-Type: application/json",
            ...framing,
          ]);
          const { status } = await sendRaw(port, `${wish.length > 0 ? asUpgrade(head) : head}"3"`);
          expect(status).to.equal(400);
        }
      }
      expect(seen).to.deep.equal([]);
    });
  }

  it("has one Host over HTTP/1.1", async () => {
    for (const port of [server.port, adminPort]) {
      for (const wish of ["", "Upgrade: websocket\r\nConnection: Upgrade\r\n"]) {
        const none = await sendRaw(port, `GET /healthz HTTP/1.1\r\n${wish || "Connection: close\r\n"}\r\n`);
        expect(none.status).to.equal(400);
        expect(none.body).to.include("invalid_request");
        const two = `GET /healthz HTTP/1.1\r\nHost: a\r\nhost: b\r\n${wish || "Connection: close\r\n"}\r\n`;
        expect((await sendRaw(port, two)).status).to.equal(400);
      }
      expect((await sendRaw(port, "GET /healthz HTTP/1.0\r\n\r\n")).status).to.equal(200);
    }
  });

  it("is refused before 100 Continue when the body will be, and only 100-continue is expected", async () => {
    const post = (more: string[]): string =>
      rawRequest("POST", "/api/note", ["Content-Type: application/json", ...more]);
    const keyed = `X-API-Key: ${key.secret}`;
    const large = await sendRaw(
      server.port,
      post([keyed, "Expect: 100-continue", "Content-Length: 2000000"]),
    );
    expect(large.status).to.equal(413);
    expect(large.head).to.not.include("100 Continue");
    const stranger = await sendRaw(server.port, post(["Expect: 100-continue", "Content-Length: 3"]));
    expect(stranger.status).to.equal(401);
    const good = await sendRaw(
      server.port,
      `${post([keyed, "Expect: 100-continue", "Content-Length: 3"])}"e"`,
    );
    expect([good.status, good.body.split(" ")[1]]).to.deep.equal([100, "200"]);
    const other = await sendRaw(server.port, post([keyed, "Expect: 200-ok", "Content-Length: 3"]));
    expect(other.status).to.equal(417);
    expect(other.body).to.include("expectation_failed");
  });

  it("that is refused before routing tells a page of another origin why", async () => {
    const origin = "https://app.example.com";
    for (const request of [
      rawRequest("GET", "/a//b", [`Origin: ${origin}`]),
      rawRequest("GET", "/healthz", [`Origin: ${origin}`, "Host: another"]),
      rawRequest("GET", "/healthz", [`Origin: ${origin}`, "Expect: x"]),
    ]) {
      const { head } = await sendRaw(server.port, request);
      expect(head.toLowerCase()).to.include(`access-control-allow-origin: ${origin}`);
      expect(head.toLowerCase()).to.include("access-control-allow-credentials: true");
    }
    const long = await sendRaw(
      server.port,
      rawRequest("GET", `/${"a".repeat(20_000)}`, [`Origin: ${origin}`]),
    );
    expect(long.status).to.equal(431);
    expect(long.head).to.include("access-control-allow-origin: *");
    expect(long.body).to.include("headers_too_large");
    const preflight = rawRequest("OPTIONS", "/a//b", [
      `Origin: ${origin}`,
      "Access-Control-Request-Method: GET",
      "Access-Control-Request-Headers: x-api-key",
    ]);
    const answer = await sendRaw(server.port, preflight);
    expect(answer.status).to.equal(204);
    expect(answer.head).to.include("access-control-allow-headers: x-api-key");
    const admin = await sendRaw(adminPort, rawRequest("GET", "/a//b", [`Origin: ${origin}`]));
    expect(admin.status).to.equal(400);
    expect(admin.head).to.not.include("access-control");
  });
});
