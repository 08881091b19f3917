import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { createClient } from "../../client/index.ts";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { Link } from "../helpers/link.ts";
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

  it("hears what was sent while its network was away, once and in order", async () => {
    const link = await Link.open(server.port);
    const key = await server.createKey({ allowRealtime: true });
    const sender = createClient(server.url, key.secret);
    const say = (message: number) => sender.realtime.send("away", "say", message);
    script = `<script src="${server.url}/sdk/sluice.global.js"></script><script>
      const { realtime } = sluice.createClient(${JSON.stringify(link.url)}, ${JSON.stringify(key.secret)});
      const heard = [];
      realtime.on("say", ({ message }) => { heard.push(message); document.title = heard.join(); });
      realtime.onDisconnect(() => { document.body.dataset.state = "lost"; });
      realtime.onGap(() => heard.push("gap"));
      realtime.join("away").then(() => { document.title = "joined"; });
    </script>`;
    const page = await browser.newPage();
    try {
      await page.goto(siteUrl);
      await page.waitForFunction(() => document.title === "joined");
      await say(1);
      await page.waitForFunction(() => document.title === "1");
      link.down();
      await page.waitForFunction(() => document.body.dataset["state"] === "lost");
      for (const message of [2, 3]) await say(message);
      link.up();
      await page.waitForFunction(() => document.title === "1,2,3");
      await say(4);
      await page.waitForFunction(() => document.title === "1,2,3,4");
    } finally {
      await page.close();
      sender.realtime.close();
      link.close();
    }
  });

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
