import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { rawRequest, sendRaw } from "../helpers/raw-http.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

const INDEX =
  '<!doctype html><html><head><meta name="csp-nonce" content="__CSP_NONCE__" /></head><body>console</body></html>';

describe("console files", () => {
  let folder: string;
  let server: TestServer;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-console-"));
    server = await startServer({ consoleFolder: join(folder, "console") });
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${server.adminUrl}${path}`, { redirect: "manual", ...init });

  async function build(): Promise<void> {
    await mkdir(join(folder, "console", "assets"), { recursive: true });
    await writeFile(join(folder, "console", "index.html"), INDEX);
    await writeFile(join(folder, "console", "favicon.svg"), "<svg/>");
    await writeFile(join(folder, "console", "assets", "index-abc123.js"), "export {};");
    await writeFile(join(folder, "console", "assets", "index-abc123.js.br"), "not really compressed");
    await writeFile(join(folder, "secret.txt"), "outside");
  }

  it("say how to build the console while it is not built, and appear without a restart", async () => {
    const before = await get("/console");
    expect(before.status).to.equal(503);
    expect(before.headers.get("cache-control")).to.equal("no-store");
    expect(await before.text()).to.include("npm run build");
    await build();
    expect((await get("/console")).status).to.equal(200);
  });

  it("answer every page of the console with its index, never kept", async () => {
    await build();
    for (const path of [
      "/console",
      "/console/",
      "/console/keys/key_1/domains",
      "/console/live?channel=a.b",
    ]) {
      const answer = await get(path);
      expect(answer.status, path).to.equal(200);
      expect(answer.headers.get("content-type"), path).to.equal("text/html; charset=utf-8");
      expect(answer.headers.get("cache-control"), path).to.equal("no-store");
      expect(await answer.text(), path).to.include("console</body>");
    }
  });

  it("give each answer's index a nonce of its own, the one that its policy names", async () => {
    await build();
    const nonces = new Set<string>();
    for (let i = 0; i < 3; i += 1) {
      const answer = await get("/console");
      const [, nonce = ""] = (await answer.text()).match(/content="([\w+/=]{24})"/) ?? [];
      expect(answer.headers.get("content-security-policy")).to.include(`style-src 'self' 'nonce-${nonce}';`);
      nonces.add(nonce);
    }
    expect(nonces.size).to.equal(3);
  });

  it("allow no inline script, nothing from elsewhere and no frame around them", async () => {
    await build();
    for (const path of ["/console", "/console/assets/index-abc123.js", "/console/assets/absent.js"]) {
      const { headers } = await get(path);
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy, path).to.match(/^default-src 'none'; script-src 'self'; style-src 'self'/);
      for (const part of [
        "connect-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ]) {
        expect(policy, path).to.include(part);
      }
      expect(policy, path).to.not.match(/unsafe|https?:|\*/);
      expect(headers.get("x-content-type-options"), path).to.equal("nosniff");
      expect(headers.get("referrer-policy"), path).to.equal("no-referrer");
      expect(headers.get("cross-origin-opener-policy"), path).to.equal("same-origin");
      expect(headers.get("cross-origin-resource-policy"), path).to.equal("same-origin");
    }
  });

  it("keep assets for good, and answer an absent one with 404 instead of the index", async () => {
    await build();
    const asset = await get("/console/assets/index-abc123.js", {
      headers: { "accept-encoding": "identity" },
    });
    expect(asset.status).to.equal(200);
    expect(asset.headers.get("content-type")).to.match(/^(text|application)\/javascript/);
    expect(asset.headers.get("cache-control")).to.equal("public, max-age=31536000, immutable");
    expect(await asset.text()).to.equal("export {};");
    const absent = await get("/console/assets/index-old.js");
    expect(absent.status).to.equal(404);
    expect(absent.headers.get("cache-control") ?? "").to.not.include("immutable");
    expect(absent.headers.get("content-type")).to.equal("application/problem+json");
    const icon = await get("/console/favicon.svg");
    expect(icon.headers.get("content-type")).to.equal("image/svg+xml");
    expect(icon.headers.get("cache-control")).to.equal("no-cache");
    expect((await get("/console/robots.txt")).status).to.equal(404);
  });

  it("send an asset as the build compressed it to browsers that accept that", async () => {
    await build();
    const port = Number(new URL(server.adminUrl).port);
    const target = "/console/assets/index-abc123.js";
    const answer = await sendRaw(port, rawRequest("GET", target, ["Accept-Encoding: gzip, br"]));
    expect(answer.head).to.match(/^content-encoding: br$/im);
    expect(answer.head).to.match(/^content-type: (text|application)\/javascript/im);
    expect(answer.head).to.match(/^vary: accept-encoding$/im);
    expect(answer.body).to.equal("not really compressed");
  });

  it("serve nothing outside their folder", async () => {
    await build();
    const port = Number(new URL(server.adminUrl).port);
    for (const target of [
      "/console/../secret.txt",
      "/console/assets/../../secret.txt",
      "/console/assets/..%2f..%2fsecret.txt",
      "/console/%2e%2e/secret.txt",
      "/console/assets/%252e%252e/%252e%252e/secret.txt",
      "/console/..\\secret.txt",
    ]) {
      const { status, body } = await sendRaw(port, rawRequest("GET", target));
      expect(body, target).to.not.include("outside");
      expect([400, 404], target).to.include(status);
    }
  });

  it("lead from the listener's root to the console", async () => {
    const answer = await get("/");
    expect(answer.status).to.equal(302);
    expect(answer.headers.get("location")).to.equal("/console");
  });
});
