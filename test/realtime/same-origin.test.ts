import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { createServer as createVite, type ViteDevServer } from "vite";
import { fencedBlocks, readDocument, substitute } from "../docs/documents.ts";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { itIfThere } from "../helpers/needs.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { callProbe, SOCKET_PAGE, talk } from "../helpers/socket-page.ts";
import { freePort, missingForTls, TlsProxy } from "../helpers/tls-proxy.ts";

const NAMES = ["a.sluice.test", "b.sluice.test", "other.sluice.test"] as const;
const PROBES = (["GET", "POST"] as const).map((method) => ({
  id: method.toLowerCase(),
  method,
  path: "/probe",
  handler: () => "here",
}));

const PAGE = {
  id: "page",
  method: "GET",
  path: "/page",
  handler: () => new Response(SOCKET_PAGE, { headers: { "content-type": "text/html" } }),
} as const;

const BY_POLLING_FIRST = { heard: "hello", first: "polling", last: "websocket" };
const BY_POLLING = { heard: "hello", first: "polling", last: "polling" };
const BY_WEBSOCKET = { heard: "hello", first: "websocket", last: "websocket" };

/** Every way in which a page of `origin` reaches the server with a key of one domain. */
async function expectAllWays(page: Page, secret: string): Promise<void> {
  expect(await talk(page, secret)).to.deep.equal(BY_POLLING_FIRST);
  expect(await talk(page, secret, { transports: ["polling"] })).to.deep.equal(BY_POLLING);
  expect(await talk(page, secret, { transports: ["websocket"] })).to.deep.equal(BY_WEBSOCKET);
  expect(await callProbe(page, secret, "GET")).to.equal("ok");
  expect(await callProbe(page, secret, "POST")).to.equal("ok");
}

/** The block of docs/origins.md in a language. */
function documented(language: string): string {
  const file = "docs/origins.md";
  const block = fencedBlocks(file, readDocument(file)).find((one) => one.language === language);
  if (block === undefined) throw new Error(`${file} has no block of ${language}`);
  return block.text;
}

function keyOf(server: TestServer, ...list: readonly string[]): Promise<{ secret: string }> {
  const domains = { mode: "specified", list };
  return server.createKey({ allowRealtime: true, endpoints: { mode: "full-access" }, domains });
}

describeInBrowser("a page of the server's own origin", () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  before(async () => {
    const here = NAMES.map((name) => `MAP ${name} 127.0.0.1`).join(",");
    browser = await openBrowser([`--host-resolver-rules=${here}`]);
  });
  after(() => browser.close());
  beforeEach(async () => {
    context = await browser.newContext({ ignoreHTTPSErrors: true });
    page = await context.newPage();
  });
  afterEach(() => context.close());

  describe("behind nginx with TLS under two public names", () => {
    let server: TestServer;
    let proxy: TlsProxy | undefined;
    let origins: readonly string[];

    before(async () => {
      if (missingForTls !== undefined) return;
      const port = await freePort();
      origins = NAMES.map((name) => `https://${name}:${port}`);
      const publicOrigins = origins.slice(0, 2);
      server = await startServer({
        config: { publicOrigins, endpoints: PROBES, trustedProxies: ["127.0.0.1"] },
      });
      const files = { "index.html": SOCKET_PAGE };
      const hostLine = documented("nginx");
      proxy = await TlsProxy.start({ port, upstreamPort: server.port, names: NAMES, files, hostLine });
    });
    after(async () => {
      await proxy?.close();
      await server?.close();
    });

    for (const index of [0, 1]) {
      itIfThere(`connects and calls in every way from name ${index + 1}`, missingForTls, async () => {
        const own = origins[index] ?? "";
        const { secret } = await keyOf(server, own);
        await page.goto(own);
        await expectAllWays(page, secret);
      });
    }

    itIfThere(
      "is refused alike in every way where the key is for the other name",
      missingForTls,
      async () => {
        const [first = "", second = ""] = origins;
        const { secret } = await keyOf(server, first);
        await page.goto(second);
        for (const transports of [["polling", "websocket"], ["polling"], ["websocket"]])
          expect(await talk(page, secret, { transports })).to.deep.equal({ code: "domain_not_authorized" });
        for (const method of ["GET", "POST"] as const)
          expect(await callProbe(page, secret, method)).to.equal("domain_not_authorized");
      },
    );

    itIfThere(
      "connects under a name that is no public origin, whose GETs name none",
      missingForTls,
      async () => {
        const own = origins[2] ?? "";
        const { secret } = await keyOf(server, own);
        await page.goto(own);
        expect(await talk(page, secret)).to.deep.equal(BY_POLLING_FIRST);
        expect(await callProbe(page, secret, "POST")).to.equal("ok");
        expect(await callProbe(page, secret, "GET")).to.equal("missing_request_origin");
      },
    );
  });

  describe("behind Vite's development proxy", () => {
    let server: TestServer;
    let vite: ViteDevServer;
    let folder: string;
    let own: string;

    before(async () => {
      const port = await freePort();
      own = `http://localhost:${port}`;
      server = await startServer({ config: { publicOrigins: [own], endpoints: PROBES } });
      folder = await mkdtemp(join(tmpdir(), "sluice-vite-"));
      await writeFile(join(folder, "index.html"), SOCKET_PAGE);
      const target = `http://127.0.0.1:${server.port}`;
      const configFile = join(folder, "vite.config.mjs");
      await writeFile(configFile, substitute(documented("js"), { "http://127.0.0.1:8080": target }));
      vite = await createVite({
        configFile,
        root: folder,
        logLevel: "silent",
        optimizeDeps: { noDiscovery: true },
        server: { port, strictPort: true, hmr: false },
      });
      await vite.listen();
    });
    after(async () => {
      await vite.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    });

    it("connects and calls in every way", async () => {
      const { secret } = await keyOf(server, "localhost");
      await page.goto(own);
      await expectAllWays(page, secret);
    });
  });

  describe("that the server serves itself", () => {
    let server: TestServer;
    beforeEach(async () => {
      server = await startServer({ config: { endpoints: [...PROBES, PAGE] } });
    });
    afterEach(() => server.close());

    for (const name of ["localhost", "127.0.0.1"]) {
      it(`connects and calls in every way from ${name}`, async () => {
        const own = `http://${name}:${server.port}`;
        const { secret } = await keyOf(server, own);
        const forAll = await server.createKey({ endpoints: { mode: "full-access" } });
        await page.goto(`${own}/api/page?apikey=${forAll.secret}`);
        await expectAllWays(page, secret);
      });
    }
  });
});
