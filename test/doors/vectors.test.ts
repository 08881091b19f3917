import { expect } from "chai";
import { Type } from "typebox";
import { WebSocket } from "ws";
import { clientAddress, normalizeAddress } from "../../src/policy/index.ts";
import { type RawResponse, rawRequest, sendRaw } from "../helpers/raw-http.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { readVectors, show } from "../policy/vectors.ts";

/** The vectors of the policy through the doors that users have: bytes on a socket, upgrades, polling. */

const REALTIME = "/realtime/?EIO=4&transport=";
const texts = Type.Array(Type.String());

/** Header lines that HTTP can carry as they are: the pure functions are also tried with what it cannot. */
function isSendable(value: unknown): value is string {
  return typeof value === "string" && value.length < 8_000 && /^[\x20-\x7e\x80-\xff]*$/.test(value);
}

/** Leading and trailing white space is not part of a field's value (RFC 9110, 5.5). */
function survives(value: string): boolean {
  return value.trim() === value && value !== "";
}

/** A WebSocket's CONNECT: the code of the refusal, or null when it got in. */
function connectOver(port: number, secret: string, headers: readonly string[]): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const lines = headers.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}${REALTIME}websocket`, {
      headers: Object.fromEntries(lines),
    });
    socket.on("error", reject);
    socket.on("message", (data) => {
      const text = String(data);
      if (text.startsWith("0{")) socket.send(`40{"apiKey":"${secret}"}`);
      if (!text.startsWith("4")) return;
      if (text.startsWith("40")) resolve(null);
      if (text.startsWith("44")) resolve(String(JSON.parse(text.slice(2)).data.code));
      socket.terminate();
    });
  });
}

/** The same over polling, in three requests. */
async function pollOver(port: number, secret: string, headers: readonly string[]): Promise<string | null> {
  const opened = await sendRaw(port, rawRequest("GET", `${REALTIME}polling`, headers));
  const [sid = ""] = opened.body.match(/(?<="sid":")[^"]+/) ?? [];
  const packet = `40{"apiKey":"${secret}"}`;
  const post = rawRequest("POST", `${REALTIME}polling&sid=${sid}`, [
    ...headers,
    "Content-Type: text/plain",
    `Content-Length: ${packet.length}`,
  ]);
  await sendRaw(port, post + packet);
  const { body } = await sendRaw(port, rawRequest("GET", `${REALTIME}polling&sid=${sid}`, headers));
  return /(?<="code":")[a-z_]+/.exec(body)?.[0] ?? null;
}

function codeOf(response: RawResponse): string | null {
  return response.status === 200 ? null : (/(?<="code":")[a-z_]+/.exec(response.body)?.[0] ?? null);
}

const ENDPOINTS = [{ id: "probe", method: "GET" as const, path: "/probe", handler: () => "in" }];
const OPEN = { allowRealtime: true, endpoints: { mode: "full-access", list: [] } };

describe("origins through the doors", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ config: { endpoints: ENDPOINTS } });
  });
  after(() => server.close());

  const row = Type.Object({
    rules: texts,
    origin: Type.Unknown(),
    allowed: Type.Boolean(),
    source: Type.String(),
  });
  const vectors = readVectors("origin-matches", row).filter(
    ({ origin }) => origin === null || (isSendable(origin) && survives(origin)),
  );
  for (const [index, { rules, origin, allowed, source }] of vectors.entries()) {
    it(`${allowed ? "let" : "keep out"} ${show(origin)} under ${show(rules)}: ${source}`, async () => {
      const { secret } = await server.createKey({ ...OPEN, domains: { mode: "specified", list: rules } });
      const lines = origin === null ? [] : [`Origin: ${String(origin)}`];
      const expected = allowed ? null : origin === null ? "missing_request_origin" : "domain_not_authorized";
      const keyed = [`Authorization: Bearer ${secret}`, ...lines];
      expect(codeOf(await sendRaw(server.port, rawRequest("GET", "/api/probe", keyed))), "HTTP").to.equal(
        expected,
      );
      if (index % 2 === 0)
        expect(await connectOver(server.port, secret, lines), "WebSocket").to.equal(expected);
      else expect(await pollOver(server.port, secret, lines), "polling").to.equal(expected);
    });
  }

  it("never match when the header comes twice", async () => {
    const list = ["https://a.example.com"];
    const { secret } = await server.createKey({ ...OPEN, domains: { mode: "specified", list } });
    const lines = ["Origin: https://a.example.com", "Origin: https://a.example.com"];
    const keyed = [`Authorization: Bearer ${secret}`, ...lines];
    const response = await sendRaw(server.port, rawRequest("GET", "/api/probe", keyed));
    expect(codeOf(response)).to.equal("domain_not_authorized");
    expect(await pollOver(server.port, secret, lines)).to.equal("domain_not_authorized");
  });

  it("are the public origin's for a same-origin GET without Origin, and for nothing else", async () => {
    const publicOrigin = "https://gateway.example.com";
    const own = await startServer({ config: { endpoints: ENDPOINTS, publicOrigin } });
    const { secret } = await own.createKey({ ...OPEN, domains: { mode: "specified", list: [publicOrigin] } });
    const ask = async (lines: readonly string[]): Promise<string | null> =>
      codeOf(await sendRaw(own.port, rawRequest("GET", "/api/probe", [`X-API-Key: ${secret}`, ...lines])));
    expect(await ask(["Sec-Fetch-Site: same-origin"])).to.equal(null);
    expect(await ask([])).to.equal("missing_request_origin");
    expect(await ask(["Sec-Fetch-Site: same-site"])).to.equal("missing_request_origin");
    expect(await ask(["Sec-Fetch-Site: same-origin", "Origin: https://evil.example.com"])).to.equal(
      "domain_not_authorized",
    );
    expect(
      await ask(["X-Forwarded-Host: gateway.example.com", "Referer: https://gateway.example.com/"]),
    ).to.equal("missing_request_origin");
    await own.close();
  });

  it("are that of the public origin which Host names, where there are several", async () => {
    const [first, second] = ["https://a.example.com", "https://b.example.com"];
    const own = await startServer({ config: { endpoints: ENDPOINTS, publicOrigins: [first, second] } });
    const { secret } = await own.createKey({ ...OPEN, domains: { mode: "specified", list: [first] } });
    const ask = async (host: string, more: readonly string[] = []) => {
      const lines = [`X-API-Key: ${secret}`, "Sec-Fetch-Site: same-origin", ...more];
      return sendRaw(own.port, rawRequest("GET", "/api/probe", lines, host));
    };
    expect(codeOf(await ask("a.example.com"))).to.equal(null);
    expect(codeOf(await ask("b.example.com"))).to.equal("domain_not_authorized");
    for (const host of ["c.example.com", "localhost", `127.0.0.1:${own.port}`])
      expect(codeOf(await ask(host, ["X-Forwarded-Host: a.example.com"])), host).to.equal(
        "missing_request_origin",
      );
    expect((await ask("c.example.com")).body)
      .to.include("(c.example.com)")
      .and.include("publicOrigins");
    await own.close();
  });
});

/** Whether a peer is a declared proxy: then, and only then, a header that nobody can read leaves no address. */
function isTrusted(peer: string | null, proxies: readonly string[]): boolean {
  const address = peer === null ? null : normalizeAddress(peer);
  if (address === null || address.startsWith("127.") || address === "::1") return false;
  return clientAddress({ remoteAddress: peer, headers: { "x-forwarded-for": "?" } }, { proxies }) === null;
}

describe("forwarded addresses through the doors", () => {
  const row = Type.Object({
    peer: Type.Union([Type.String(), Type.Null()]),
    headers: Type.Record(Type.String(), Type.Unknown()),
    proxies: texts,
    header: Type.Optional(Type.String()),
    address: Type.Union([Type.String(), Type.Null()]),
    source: Type.String(),
  });
  const headerNames = ["x-forwarded-for", "forwarded", "x-real-ip"] as const;
  // The peer here is always 127.0.0.1, so it takes the part of the trusted proxy that the vector has as its peer.
  const vectors = readVectors("client-addresses", row).flatMap((vector) => {
    const header = headerNames.find((name) => name === (vector.header ?? "x-forwarded-for"));
    const lines = Object.entries(vector.headers).flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one: unknown) => ({ name, value: one })),
    );
    const plain = lines.flatMap(({ name, value }) =>
      isSendable(value) && survives(value) ? [`${name}: ${value}`] : [],
    );
    const isUsable = header !== undefined && lines.length > 0 && plain.length === lines.length;
    return isUsable && isTrusted(vector.peer, vector.proxies) ? [{ ...vector, header, lines: plain }] : [];
  });
  const servers = new Map<string, Promise<TestServer>>();
  const serverFor = (
    proxies: readonly string[],
    header: (typeof headerNames)[number],
  ): Promise<TestServer> => {
    const name = JSON.stringify([proxies, header]);
    const trustedProxies = [...proxies, "127.0.0.1"];
    const known =
      servers.get(name) ??
      startServer({ config: { endpoints: ENDPOINTS, trustedProxies, forwardedHeader: header } });
    servers.set(name, known);
    return known;
  };
  after(async () => {
    for (const server of servers.values()) await (await server).close();
  });

  it("are tried in numbers", () => {
    expect(vectors.length).to.be.above(30);
  });

  for (const [index, { proxies, header, lines, address, source }] of vectors.entries()) {
    it(`find ${address ?? "no address"} in ${show(lines)}: ${source}`, async () => {
      const server = await serverFor(proxies, header);
      const list = [address ?? "0.0.0.0/0", ...(address === null ? ["::/0"] : [])];
      const { secret } = await server.createKey({ ...OPEN, ips: { mode: "specified", list } });
      const expected = address === null ? "missing_client_ip" : null;
      const keyed = [`Authorization: Bearer ${secret}`, ...lines];
      expect(codeOf(await sendRaw(server.port, rawRequest("GET", "/api/probe", keyed))), "HTTP").to.equal(
        expected,
      );
      const isRepeated = new Set(lines.map((line) => line.split(":", 1)[0])).size < lines.length;
      if (index % 2 === 0 || isRepeated) {
        expect(await pollOver(server.port, secret, lines), "polling").to.equal(expected);
      } else {
        expect(await connectOver(server.port, secret, lines), "WebSocket").to.equal(expected);
      }
    });
  }
});

describe("channel rules through the doors", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const row = Type.Object({
    rules: Type.Unknown(),
    action: Type.String(),
    channel: Type.Unknown(),
    allowed: Type.Boolean(),
    source: Type.String(),
  });
  const vectors = readVectors("channels", row).filter(
    ({ action, channel }) => action === "publish" && typeof channel === "string" && channel.isWellFormed(),
  );
  for (const { rules, channel, allowed, source } of vectors) {
    it(`${allowed ? "grant" : "refuse"} publish on ${show(channel)} under ${show(rules)}: ${source}`, async () => {
      const channels = rules === null ? {} : { channels: rules };
      const { secret } = await server.createKey({ allowRealtime: true, ...channels });
      const response = await fetch(`${server.url}/channels/publish`, {
        method: "POST",
        headers: { "x-api-key": secret, "content-type": "application/json" },
        body: JSON.stringify({ channel, eventName: "x" }),
      });
      // What is no channel name is refused before the rules are asked.
      expect(response.status).to.be.oneOf(allowed ? [200] : [400, 403]);
    });
  }
});
