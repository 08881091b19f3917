import { gzipSync } from "node:zlib";
import { expect } from "chai";
import type { Browser, Response } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { openConsole } from "../helpers/console.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

/** What a first load may cost: the promise, in kB of gzip. */
const JAVASCRIPT_MAX_KB = 200;
const STYLES_MAX_KB = 50;

describeInBrowser("the first load of the console", () => {
  let server: TestServer;
  let browser: Browser;
  before(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    await server.createKey({ name: "web frontend" });
  });
  after(async () => {
    await browser.close();
    await server.close();
  });

  it(`is below ${JAVASCRIPT_MAX_KB} kB of JavaScript, all that the first page loads counted`, async () => {
    const { page, visit, close } = await openConsole(browser, server);
    const responses: Response[] = [];
    page.on("response", (response) => responses.push(response));
    await visit("");
    await page.getByRole("link", { name: "web frontend" }).waitFor();
    // Whatever is loaded after the first paint counts too.
    await page.evaluate("new Promise((resolve) => requestIdleCallback(resolve, { timeout: 2000 }))");
    const sizeKb = async (type: string): Promise<number> => {
      const bodies = await Promise.all(
        responses.filter((one) => one.request().resourceType() === type).map((one) => one.body()),
      );
      expect(bodies).to.not.be.empty;
      return bodies.reduce((sum, body) => sum + gzipSync(body).length, 0) / 1_000;
    };
    expect(await sizeKb("script")).to.be.below(JAVASCRIPT_MAX_KB);
    expect(await sizeKb("stylesheet")).to.be.below(STYLES_MAX_KB);
    await close();
  });
});
