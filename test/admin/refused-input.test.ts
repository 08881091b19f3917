import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { ListenError } from "../../src/listener/listen-error.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

/** The only failure that says something of the machine. */
function failed(error: unknown): ListenError {
  if (error instanceof ListenError) return error;
  throw error;
}

describe("the admin API's input", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const create = (metadata: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${server.adminUrl}/admin/v1/keys`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${server.adminToken}`,
        "content-type": "application/json",
        ...headers,
      },
      body: `{"name":"numbers","metadata":${metadata}}`,
    });

  for (const [metadata, pointer] of [
    ['{"n":9007199254740993}', "/metadata/n"],
    ['{"n":-9007199254740993}', "/metadata/n"],
    ['{"a":[{"b/c":12345678901234567890}]}', "/metadata/a/0/b~1c"],
    ['{"n":1e400}', "/metadata"],
  ] as const)
    it(`may not lose digits of ${metadata} in silence`, async () => {
      const response = await create(metadata);
      const body = toRecord(await response.json());
      expect([response.status, body["code"]]).to.deep.equal([400, "invalid_settings"]);
      expect(JSON.stringify(body["faults"])).to.include(pointer);
    });

  it("may have every number that is exact, and any digits as text", async () => {
    for (const metadata of ['{"n":9007199254740991}', '{"n":-0.5}', '{"n":"9007199254740993"}']) {
      const response = await create(metadata);
      expect(response.status).to.equal(201);
      const settings = toRecord(toRecord(await response.json())["settings"]);
      expect(settings["metadata"]).to.deep.equal(JSON.parse(metadata));
    }
  });

  it("may not be compressed, and is told so before it is read", async () => {
    for (const coding of ["gzip", "br", "GZIP, identity"]) {
      const response = await fetch(`${server.adminUrl}/admin/v1/keys`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${server.adminToken}`,
          "content-type": "application/json",
          "content-encoding": coding,
        },
        body: gzipSync('{"name":"packed"}'),
      });
      expect(response.status, coding).to.equal(415);
      expect(response.headers.get("accept-encoding")).to.equal("identity");
      expect(toRecord(await response.json())).to.include({ code: "unsupported_media_type" });
    }
    expect((await create("{}", { "content-encoding": "identity" })).status).to.equal(201);
  });

  it("is taken on the address of a link, with its zone, where the machine has one", async () => {
    const zoned = await startServer({ config: { adminHost: "::1%lo" } }).catch(failed);
    if (zoned instanceof ListenError) {
      expect(zoned.code).to.be.oneOf(["EADDRNOTAVAIL", "EINVAL", "ENOTFOUND", "EAFNOSUPPORT"]);
      return;
    }
    try {
      expect(zoned.adminUrl).to.match(/^http:\/\/\[::1\]:\d+$/);
      expect((await zoned.admin("/keys")).status).to.equal(200);
      const origin = zoned.adminUrl;
      for (const [from, status] of [
        [origin, 401],
        ["http://elsewhere.example", 403],
      ] as const) {
        const signIn = await fetch(`${origin}/admin/v1/session`, {
          method: "POST",
          headers: { origin: from, "content-type": "application/json" },
          body: JSON.stringify({ token: "wrong" }),
        });
        expect(signIn.status, from).to.equal(status);
      }
    } finally {
      await zoned.close();
    }
  });
});
