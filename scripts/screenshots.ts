/**
 * The pictures of the documents, taken from a real server in a real browser: `npm run screenshots`.
 * Looked at before they are committed.
 */
import type { Browser } from "playwright-core";
import { openBrowser } from "../test/helpers/browser.ts";
import { startServer } from "../test/helpers/server.ts";
import { photographConsole } from "./console-screenshots.ts";

const browser = await openBrowser();
await photographPage(browser);
await photographConsole(browser);
await browser.close();

/** The development page: two panes that chat. */
async function photographPage(browser: Browser): Promise<void> {
  const server = await startServer({ dev: true });
  const { secret } = await server.createKey({ allowRealtime: true });
  for (const [name, width, height] of [
    ["page", 1280, 860],
    ["page-phone", 390, 1400],
  ] as const) {
    const page = await browser.newPage({ viewport: { width, height } });
    await page.goto(`${server.url}/#${secret}`);
    for (const [pane, text] of [
      ["pane-a", "Tea is ready."],
      ["pane-b", "On my way!"],
      ["pane-a", "Bring biscuits."],
    ] as const) {
      const box = page.getByTestId(pane);
      await box.getByTestId("state").filter({ hasText: "connected" }).waitFor();
      await box.getByTestId("message-input").fill(text);
      await box.getByTestId("send").click();
      await page.getByTestId("pane-b").getByTestId("messages").getByText(text).waitFor();
    }
    await page.screenshot({ path: `docs/images/${name}.png` });
    await page.close();
  }
  await server.close();
}
