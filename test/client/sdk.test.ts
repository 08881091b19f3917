import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { addressOf } from "./fake-server.ts";

describeInBrowser("browser SDK, on a page of another origin", () => {
  let browser: Browser;
  let server: TestServer;
  let site: Server;
  let siteUrl: string;
  let script: string;

  before(async () => {
    browser = await openBrowser();
    server = await startServer({
      config: {
        endpoints: [{ id: "hello", method: "GET", path: "/hello", handler: () => ({ hello: "you" }) }],
      },
    });
    site = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><link rel="icon" href="data:,"><title>waiting</title>${script}`);
    });
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    siteUrl = `http://127.0.0.1:${addressOf(site).port}`;
  });

  after(async () => {
    await browser.close();
    site.close();
    site.closeAllConnections();
    await server.close();
  });

  const use = (secret: string): string => `
    const { realtime, endpoint } = createClient(${JSON.stringify(server.url)}, ${JSON.stringify(secret)});
    realtime.on("say", async ({ message }) => {
      const { data } = await endpoint.get("/hello");
      document.title = message + " " + data.hello;
    });
    realtime.join("lobby").then(({ error }) => {
      if (error) document.title = error.code;
      else realtime.send("lobby", "say", "hello");
    });`;

  const forms: Record<string, (secret: string) => string> = {
    "as a module": (secret) =>
      `<script type="module">import { createClient } from "${server.url}/sdk/sluice.js";${use(secret)}</script>`,
    "from a script tag": (secret) =>
      `<script src="${server.url}/sdk/sluice.global.js"></script>
       <script>{ const { createClient } = sluice; ${use(secret)} }</script>`,
  };

  for (const [form, write] of Object.entries(forms)) {
    it(`works ${form}`, async () => {
      const settings = { allowRealtime: true, endpoints: { mode: "full-access" } };
      const domains = { mode: "specified", list: ["https://elsewhere.example"] };
      expect(await titleOf(write((await server.createKey(settings)).secret))).to.equal("hello you");
      const other = await server.createKey({ ...settings, domains });
      expect(await titleOf(write(other.secret))).to.equal("domain_not_authorized");
    });
  }

  async function titleOf(html: string): Promise<string> {
    script = html;
    const page = await browser.newPage();
    await page.goto(siteUrl);
    await page.waitForFunction(() => document.title !== "waiting");
    const title = await page.title();
    await page.close();
    return title;
  }
});
