import { expect } from "chai";
import { rawRequest, sendRaw } from "../helpers/raw-http.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

const PAGE = "https://app.example.com";

describe("what an answer to a key says to caches", () => {
  let server: TestServer;
  let secret: string;

  before(async () => {
    const cached = { headers: { "cache-control": "private, max-age=60", vary: "Accept-Language" } };
    server = await startServer({
      config: {
        endpoints: [
          { id: "list", method: "GET", path: "/list", handler: () => [1] },
          { id: "later", method: "GET", path: "/later", handler: async () => "later" },
          { id: "take", method: "POST", path: "/take", handler: () => undefined },
          { id: "cached", method: "GET", path: "/cached", handler: () => new Response("kept", cached) },
          { id: "broken", method: "GET", path: "/broken", handler: () => Promise.reject(new Error("x")) },
        ],
      },
    });
    const endpoints = { mode: "custom-excluded", list: ["DELETE /nothing"] };
    secret = (await server.createKey({ endpoints, allowRealtime: true })).secret;
  });
  after(() => server.close());

  const call = (path: string, headers: Record<string, string> = { "x-api-key": secret }, method = "GET") =>
    fetch(`${server.url}${path}`, { headers, method });
  const partsOf = (response: Response): string[] =>
    (response.headers.get("vary") ?? "").split(",").map((name) => name.trim().toLowerCase());

  for (const [what, status, ask] of [
    ["an endpoint", 200, () => call("/api/list")],
    ["an endpoint that answers later", 200, () => call("/api/later")],
    ["a HEAD of an endpoint", 200, () => call("/api/list", undefined, "HEAD")],
    ["a POST without an answer", 204, () => call("/api/take", undefined, "POST")],
    ["a handler that fails", 500, () => call("/api/broken")],
    ["an endpoint that is refused for want of a key", 401, () => call("/api/list", {})],
    ["an endpoint that is refused to a page", 401, () => call("/api/list", { origin: PAGE })],
    ["an unknown path below the prefix, with a key", 404, () => call("/api/nothing")],
    ["an unknown path below the prefix, without one", 401, () => call("/api/nothing", {})],
    ["members of a channel", 200, () => call("/channels/members?channel=a")],
    ["the list of channels", 200, () => call("/channels")],
    ["a channel that is refused", 401, () => call("/channels/members?channel=a", {})],
    ["a poll", 200, () => call("/realtime/?EIO=4&transport=polling")],
    ["a poll that is refused", 400, () => call("/realtime/?EIO=4&transport=polling&sid=nobody")],
  ] as const) {
    it(`keeps ${what} out of them, and names what it depends on`, async () => {
      const response = await ask();
      expect(response.status).to.equal(status);
      expect(response.headers.get("cache-control")).to.equal("no-store");
      expect(partsOf(response)).to.include.members(["origin", "authorization", "x-api-key"]);
      await response.body?.cancel();
    });
  }

  it("leaves the word to a handler, and adds to what it depends on", async () => {
    const response = await call("/api/cached");
    expect(response.headers.get("cache-control")).to.equal("private, max-age=60");
    expect(partsOf(response)).to.have.members([
      "accept-language",
      "origin",
      "authorization",
      "x-api-key",
      "cookie",
    ]);
  });

  it("lets a page read with credentials, as Agnost's client asks", async () => {
    const response = await call("/api/list", { "x-api-key": secret, origin: PAGE });
    expect(response.headers.get("access-control-allow-origin")).to.equal(PAGE);
    expect(response.headers.get("access-control-allow-credentials")).to.equal("true");
    expect(response.headers.get("access-control-expose-headers")).to.include("RateLimit");
  });

  it("answers a preflight of any path alike", async () => {
    for (const path of ["/api/list", "/api/nothing", "/channels/publish", "/nothing"]) {
      const asked = { origin: PAGE, "access-control-request-method": "POST" };
      const response = await call(path, asked, "OPTIONS");
      expect(response.status, path).to.equal(204);
      expect(response.headers.get("access-control-allow-origin"), path).to.equal(PAGE);
      expect(response.headers.get("access-control-max-age"), path).to.equal("600");
    }
  });
});

describe("the cookies of a request to an endpoint", () => {
  let server: TestServer;
  let secret: string;

  before(async () => {
    const handler = ({ headers }: { headers: Record<string, unknown> }) => headers["cookie"] ?? "none";
    server = await startServer({
      config: {
        publicOrigin: PAGE,
        endpoints: [
          { id: "get", method: "GET", path: "/cookie", handler },
          { id: "post", method: "POST", path: "/cookie", handler },
        ],
      },
    });
    secret = (await server.createKey({ endpoints: { mode: "full-access" } })).secret;
  });
  after(() => server.close());

  /** Over a raw socket: fetch does not let these headers be set. */
  const cookieSeen = async (method: string, lines: readonly string[]): Promise<string> => {
    const own = [`X-API-Key: ${secret}`, "Cookie: session=1; sluice_session=2", ...lines];
    return (await sendRaw(server.port, rawRequest(method, "/api/cookie", own))).body;
  };

  it("reach the handler when the server's own page asks", async () => {
    expect(await cookieSeen("GET", [`Origin: ${PAGE}`])).to.equal("session=1");
    expect(await cookieSeen("POST", [`Origin: ${PAGE}`, "Content-Length: 0"])).to.equal("session=1");
    expect(await cookieSeen("GET", ["Sec-Fetch-Site: same-origin"])).to.equal("session=1");
  });

  it("are taken out when another site asks, or nobody knows who", async () => {
    for (const lines of [
      ["Origin: https://evil.example"],
      ["Origin: https://evil.example", "Sec-Fetch-Site: same-origin"],
      ["Origin: null"],
      ["Sec-Fetch-Site: cross-site"],
      ["Sec-Fetch-Site: same-site"],
      ["Sec-Fetch-Site: none"],
      [`Referer: ${PAGE}/page`],
      [],
    ]) {
      expect(await cookieSeen("GET", lines), lines.join()).to.equal("none");
      const posted = await cookieSeen("POST", [...lines, "Content-Length: 0"]);
      expect(posted, `POST ${lines.join()}`).to.equal("none");
    }
  });
});
