import { request } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";

type Answer = { status: number; headers: Record<string, unknown>; body: Buffer };

describe("the SDK's files", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ dev: true });
  });
  after(() => server.close());

  /** By Node's own client, which asks for no encoding by itself and decodes none. */
  const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const call = request(`${server.url}${path}`, { headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      call.on("error", reject);
      call.end();
    });
  const path = "/sdk/sluice.global.js";

  it("are sent compressed to whoever takes that, each form with a tag of its own", async () => {
    const plain = await get(path);
    const brotli = await get(path, { "accept-encoding": "gzip, deflate, br, zstd" });
    const gzip = await get(path, { "accept-encoding": "gzip" });
    expect(plain.headers).to.not.have.property("content-encoding");
    expect(brotli.headers).to.include({ "content-encoding": "br" });
    expect(gzip.headers).to.include({ "content-encoding": "gzip" });
    expect(brotliDecompressSync(brotli.body).equals(plain.body)).to.equal(true);
    expect(gunzipSync(gzip.body).equals(plain.body)).to.equal(true);
    expect(brotli.body.length).to.be.below(plain.body.length / 2);
    expect(new Set([plain, brotli, gzip].map(({ headers }) => headers["etag"])).size).to.equal(3);
    for (const { headers, body } of [plain, brotli, gzip]) {
      expect(String(headers["vary"]).toLowerCase()).to.include("accept-encoding");
      expect(headers).to.include({ "content-length": String(body.length) });
      expect(headers).to.include({ "access-control-allow-origin": "*" });
    }
  });

  for (const [header, encoding] of [
    ["br;q=0, gzip", "gzip"],
    ["br;q=0.000, gzip;q=0", undefined],
    ["*", "br"],
    ["*;q=0", undefined],
    ["identity", undefined],
    ["GZIP;q=0.5", "gzip"],
  ] as const) {
    it(`are sent as ${encoding ?? "they are"} to who accepts ${header}`, async () => {
      expect((await get(path, { "accept-encoding": header })).headers["content-encoding"]).to.equal(encoding);
    });
  }

  it("are not sent again to who has them in the same form", async () => {
    const accept = { "accept-encoding": "br" };
    const { headers } = await get(path, accept);
    const tag = String(headers["etag"]);
    const again = await get(path, { ...accept, "if-none-match": tag });
    expect(again.status).to.equal(304);
    expect(again.headers).to.include({ etag: tag });
    expect(String(again.headers["vary"]).toLowerCase()).to.include("accept-encoding");
    expect((await get(path, { "if-none-match": tag })).status).to.equal(200);
  });

  it("do not exist under the names of their compressed forms", async () => {
    expect((await get(`${path}.br`)).status).to.equal(404);
  });

  it("stand beside a page that names the admin listener as it is", async () => {
    const { body } = await get("/");
    const text = body.toString("utf8");
    expect(text).to.include(`export SLUICE_ADMIN_URL=${server.adminUrl}`);
    expect(text).to.include(`curl -X PATCH ${server.adminUrl}/admin/v1/keys/`);
    expect(text).to.not.include("__ADMIN_URL__").and.to.not.include(":8081");
  });
});
