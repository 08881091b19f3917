import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { describeInBrowser, openBrowser, WHOLE_CHROMIUM } from "../helpers/browser.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";
import { addressOf } from "./fake-server.ts";

/** What the page tells of itself and of what it hears, in its order. */
const SCRIPT = `
  window.told = [];
  addEventListener("pageshow", ({ persisted }) => told.push("pageshow " + persisted));
  const { realtime } = sluice.createClient(SERVER, KEY, { transports: ["polling"] });
  realtime.on("say", ({ message }) => told.push("heard " + message));
  realtime.onGap(({ reason }) => told.push("gap " + reason));
  realtime.onDisconnect(({ code }) => told.push(code));
  realtime.join("lobby").then(({ error }) => told.push(error === null ? "joined" : error.code));`;

describeInBrowser("a page with a polling client", () => {
  let browser: Browser;
  let page: Page;
  let server: TestServer;
  let site: Server;
  let siteUrl: string;
  let publisher: SocketClient;

  before(async () => {
    browser = await openBrowser([], ["--disable-back-forward-cache"], WHOLE_CHROMIUM);
    const sdk = await build({
      entryPoints: [fileURLToPath(new URL("../../client/index.ts", import.meta.url))],
      bundle: true,
      format: "iife",
      globalName: "sluice",
      write: false,
    });
    const code = sdk.outputFiles[0]?.text ?? "";
    site = createServer((request, response) => {
      response.setHeader("content-type", "text/html");
      const isClient = request.url === "/";
      response.end(
        `<!doctype html><link rel="icon" href="data:,"><title>page</title>${isClient ? `<script>${code}</script><script>${script}</script>` : ""}`,
      );
    });
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    siteUrl = `http://127.0.0.1:${addressOf(site).port}`;
  });
  after(async () => {
    await browser.close();
    site.close();
    site.closeAllConnections();
  });

  let script = "";
  beforeEach(async () => {
    // A client that is gone is noticed within two seconds.
    server = await startServer({ config: { pingIntervalMs: 1_000, pingTimeoutMs: 1_000 } });
    const { secret } = await server.createKey({ allowRealtime: true });
    script = SCRIPT.replace("SERVER", JSON.stringify(server.url)).replace("KEY", JSON.stringify(secret));
    publisher = await new SocketClient(server.url, { apiKey: secret }).ready();
    page = await browser.newPage();
    await page.goto(siteUrl);
    await untilTold("joined");
    await publish("one");
    await untilTold("heard one");
  });
  afterEach(async () => {
    await page.close();
    publisher.close();
    await server.close();
  });

  const publish = async (message: string): Promise<void> => {
    const said = { channel: "lobby", eventName: "say", message };
    expect(await publisher.request("message", said)).to.include({ ok: true });
  };
  const untilTold = async (what: string): Promise<void> => {
    await page.waitForFunction(`told.includes(${JSON.stringify(what)})`, undefined, { timeout: 15_000 });
  };
  it("hears again what it missed when it comes out of the back/forward cache", async () => {
    await page.goto(`${siteUrl}/other`);
    await publish("two");
    await page.goBack({ waitUntil: "commit" });
    await untilTold("pageshow true");
    await untilTold("heard two");
    await publish("three");
    await untilTold("heard three");
    expect(await page.evaluate("told.filter((what) => what.startsWith('gap'))")).to.deep.equal([]);
  });

  it("hears again what it missed when the network is back", async () => {
    await page.context().setOffline(true);
    await untilTold("connection_lost");
    await publish("two");
    await page.context().setOffline(false);
    await untilTold("heard two");
    await publish("three");
    await untilTold("heard three");
    expect(await page.evaluate("told.filter((what) => what.startsWith('gap'))")).to.deep.equal([]);
  });
});
