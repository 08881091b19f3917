import { request } from "node:http";
import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";

describe("the headers of an endpoint's Response", () => {
  let server: TestServer;
  let secret: string;

  before(async () => {
    const headers = {
      ratelimit: '"hourly";r=999;t=1',
      "ratelimit-policy": '"hourly";q=999;w=1',
      "retry-after": "7",
      connection: "close, x-secret-hop",
      "x-secret-hop": "1",
      "keep-alive": "timeout=1",
      te: "trailers",
      trailer: "x-trailer",
      "transfer-encoding": "gzip",
      upgrade: "h2c",
      "proxy-authenticate": "Basic",
      "proxy-connection": "close",
      "content-type": "text/plain",
      "x-own": "1",
    };
    const handler = (): Response => {
      const response = new Response("own", { status: 202, headers });
      for (const cookie of ["a=1", "b=2"]) response.headers.append("set-cookie", cookie);
      return response;
    };
    server = await startServer({
      config: { endpoints: [{ id: "own", method: "GET", path: "/own", handler }] },
    });
    const limits = [{ name: "hourly", limit: 5, windowSeconds: 3600 }];
    secret = (await server.createKey({ endpoints: { mode: "full-access" }, limits })).secret;
  });
  after(() => server.close());

  for (const method of ["GET", "HEAD"]) {
    it(`change neither what the server says of its limits nor its connection, over ${method}`, async () => {
      const { status, headers, body } = await call(method);
      expect([status, body]).to.deep.equal([202, method === "HEAD" ? "" : "own"]);
      expect(headers["ratelimit-policy"]).to.equal('"hourly";q=5;w=3600');
      expect(headers["ratelimit"]).to.match(/^"hourly";r=[34];t=3600$/);
      expect(headers["connection"]).to.equal("keep-alive");
      expect(headers["keep-alive"]).to.not.equal("timeout=1");
      expect(headers["transfer-encoding"] ?? "chunked").to.equal("chunked");
      expect(headers).to.not.have.any.keys(
        "x-secret-hop",
        "te",
        "trailer",
        "upgrade",
        "proxy-authenticate",
        "proxy-connection",
      );
      // The rest is the application's.
      expect(headers).to.include({ "x-own": "1", "content-type": "text/plain", "retry-after": "7" });
      expect(headers["set-cookie"]).to.deep.equal(["a=1", "b=2"]);
    });
  }

  type Answer = {
    readonly status: number | undefined;
    readonly headers: NodeJS.Dict<string | string[]>;
    readonly body: string;
  };
  const call = (method: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(
        `${server.url}/api/own`,
        { method, headers: { "x-api-key": secret, connection: "keep-alive" } },
        (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (chunk) => {
            body += String(chunk);
          });
          response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
        },
      );
      sent.on("error", reject).end();
    });
});
