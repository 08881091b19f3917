import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { expect } from "chai";
import { type ClientOptions, createClient } from "../../client/index.ts";
import { addressOf } from "./fake-server.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe("client endpoint", () => {
  let server: Server;
  let url: string;
  let handle: Handler;
  let requests: string[];

  const endpoint = (options: ClientOptions = {}) => createClient(url, "slc_test", options).endpoint;

  beforeEach(async () => {
    requests = [];
    handle = (_request, response) => json(response, 200, { fine: true });
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      handle(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${addressOf(server).port}`;
  });

  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  it("calls below the prefix with the key and returns the JSON", async () => {
    expect(await endpoint().get("/orders")).to.deep.equal({ data: { fine: true }, error: null });
    await endpoint({ endpointPrefix: "/v2/" }).delete("orders/7");
    await createClient(`${url}/base/`, null).endpoint.get("/orders");
    expect(requests).to.deep.equal([
      "GET /api/orders Bearer slc_test",
      "DELETE /v2/orders/7 Bearer slc_test",
      "GET /base/api/orders undefined",
    ]);
  });

  it("appends query parameters", async () => {
    await endpoint().get("/orders?a=1", { query: { b: "x&y", c: [1, 2], d: undefined, e: null, f: false } });
    expect(requests[0]).to.contain("/api/orders?a=1&b=x%26y&c=1&c=2&f=false ");
  });

  it("sends bodies as JSON unless they say what they are", async () => {
    const bodies: string[] = [];
    handle = (request, response) => {
      let text = "";
      request.setEncoding("utf8");
      request.on("data", (chunk: string) => {
        text += chunk;
      });
      request.on("end", () => {
        bodies.push(`${request.method} ${request.headers["content-type"]} ${text}`);
        json(response, 201, null);
      });
    };
    await endpoint().post("/orders", { item: 1 });
    await endpoint().put("/orders/1", "text");
    await endpoint().patch("/orders/1", "a;b", { headers: { "content-type": "text/csv" } });
    await endpoint().post("/orders", new URLSearchParams({ a: "1" }));
    await endpoint().post("/orders");
    expect(bodies).to.deep.equal([
      'POST application/json {"item":1}',
      'PUT application/json "text"',
      "PATCH text/csv a;b",
      "POST application/x-www-form-urlencoded;charset=UTF-8 a=1",
      "POST undefined ",
    ]);
  });

  it("returns text for other types and null for nothing", async () => {
    handle = (_request, response) => response.setHeader("content-type", "text/plain").end("hello");
    expect((await endpoint().get("/text")).data).to.equal("hello");
    handle = (_request, response) => response.writeHead(204).end();
    expect(await endpoint().delete("/thing")).to.deep.equal({ data: null, error: null });
  });

  it("turns problem details into an error", async () => {
    handle = (_request, response) => {
      response.setHeader("retry-after", "2");
      json(response, 429, { title: "Too Many Requests", detail: "slow down", code: "rate_limit_exceeded" });
    };
    expect((await endpoint().get("/orders")).error).to.deep.equal({
      status: 429,
      code: "rate_limit_exceeded",
      message: "slow down",
      afterMs: 2000,
    });
    handle = (_request, response) => response.writeHead(502, { "content-type": "text/html" }).end("<h1>");
    expect((await endpoint().get("/orders")).error).to.deep.equal({
      status: 502,
      code: "http_502",
      message: "Bad Gateway",
    });
  });

  it("reports a network failure and an abort", async () => {
    handle = (request) => request.socket.destroy();
    expect((await endpoint().get("/orders")).error).to.include({ status: 0, code: "network_error" });
    const controller = new AbortController();
    handle = () => controller.abort();
    const { error } = await endpoint().get("/orders", { signal: controller.signal });
    expect(error).to.include({ status: 0, code: "aborted" });
  });

  it("reports an answer that says JSON and is none", async () => {
    handle = (_request, response) => response.setHeader("content-type", "application/json").end("{");
    expect((await endpoint().get("/orders")).error?.code).to.equal("unexpected_answer");
  });

  it("does not let a path leave the endpoints", async () => {
    for (const path of [
      "../channels/publish",
      "/a/../../admin",
      "/%2e%2e/admin",
      "\\..\\admin",
      "/a#b",
      "/a/..",
    ]) {
      expect((await endpoint().get(path)).error?.code, path).to.equal("ambiguous_target");
    }
    expect(requests).to.deep.equal([]);
  });

  it("refuses a base that is no web address", () => {
    expect(() => createClient("ftp://example.com", "slc_test")).to.throw(TypeError, "http");
    expect(() => createClient("nonsense", "slc_test")).to.throw(TypeError);
  });
});

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
