import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describeInBrowser("a refusal that nobody listens to", () => {
  let browser: Browser;
  let server: TestServer;
  let pages: Server;
  let folder: string;
  before(async () => {
    [browser, server] = await Promise.all([openBrowser(), startServer()]);
    pages = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>page</title>");
    });
    await new Promise<void>((resolve) => pages.listen(0, resolve));
    folder = await mkdtemp(join(tmpdir(), "sluice-page-"));
    await writeFile(join(folder, "page.html"), "<!doctype html><title>page</title>");
  });
  after(async () => {
    await browser.close();
    pages.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  const port = (): number => {
    const address = pages.address();
    return typeof address === "object" && address !== null ? (address satisfies AddressInfo).port : 0;
  };

  /** What the console says on a page that does what README does, until the connection was refused. */
  const wordsOn = async (url: string, secret: string, options = "{}"): Promise<string[]> => {
    const page = await browser.newPage();
    const words: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "warning" && message.text().startsWith("sluice:")) words.push(message.text());
    });
    try {
      await page.goto(url);
      await page.addScriptTag({ url: `${server.url}/sdk/sluice.global.js` });
      const ended: unknown = await page.evaluate(
        `(async () => {
          const { realtime } = sluice.createClient(${JSON.stringify(server.url)}, ${JSON.stringify(secret)}, ${options});
          const { error } = await realtime.join("lobby");
          return error?.code;
        })()`,
      );
      expect(ended).to.be.a("string");
      return words;
    } finally {
      await page.close();
    }
  };

  const cases: Record<string, { url: () => string; code: string; sentence: RegExp }> = {
    "127.0.0.1 where the key names localhost": {
      url: () => `http://127.0.0.1:${port()}/`,
      code: "domain_not_authorized",
      sentence: /http:\/\/127\.0\.0\.1:\d+/,
    },
    "another port than the key's": {
      url: () => `http://localhost:${port()}/`,
      code: "domain_not_authorized",
      sentence: /http:\/\/localhost:\d+/,
    },
    "a file": {
      url: () => pathToFileURL(join(folder, "page.html")).href,
      code: "domain_not_authorized",
      sentence: /null|file/,
    },
  };
  for (const [what, { url, code, sentence }] of Object.entries(cases)) {
    it(`is said once on the console of a page on ${what}, with the server's sentence`, async () => {
      const { secret } = await server.createKey({
        allowRealtime: true,
        domains: { mode: "specified", list: ["http://localhost:1", "https://app.example.com"] },
      });
      const words = await wordsOn(url(), secret);
      expect(words).to.have.length(1);
      expect(words[0]).to.include(code).and.to.match(sentence);
      expect(await wordsOn(url(), secret, "{ quiet: true }")).to.deep.equal([]);
    });
  }

  it("is said of a wrong key, over WebSocket and over polling", async () => {
    for (const transport of ["websocket", "polling"]) {
      const words = await wordsOn(
        `http://localhost:${port()}/`,
        "slc_nosuchkey",
        `{ transports: ["${transport}"] }`,
      );
      expect(words, transport).to.have.length(1);
      expect(words[0]).to.include("invalid_api_key");
    }
  });
});
