/**
 * How soon the console can be used: `npm run bench:console`. Each load is one of a browser profile that has never been
 * there, with ten thousand keys in the store. `--write` keeps the figures.
 */
import { gzipSync } from "node:zlib";
import { openBrowser } from "../test/helpers/browser.ts";
import { openConsole } from "../test/helpers/console.ts";
import { importKeys } from "../test/helpers/many-keys.ts";
import { startServer } from "../test/helpers/server.ts";
import { median } from "./pairs.ts";
import { ConsoleFigures, consoleText } from "./report/console.ts";
import { provenance } from "./report/kept.ts";
import { keep } from "./results.ts";

const LOADS = 15;
const KEYS = 10_000;

const measured = provenance();

const server = await startServer();
await importKeys(server, KEYS, (index) => ({ name: `service ${index}` }));
const browser = await openBrowser();
const loadsMs: number[] = [];
const searchesMs: number[] = [];
let scriptBytes = 0;
for (let i = 0; i < LOADS; i += 1) {
  const { page, visit, close } = await openConsole(browser, server);
  const scripts: Promise<Buffer>[] = [];
  page.on("response", (response) => {
    if (response.request().resourceType() === "script") scripts.push(response.body());
  });
  const rows = page.locator("tbody tr[data-key]");
  const startedMs = performance.now();
  await visit("");
  await rows.first().waitFor();
  loadsMs.push(performance.now() - startedMs);
  const typedMs = performance.now();
  await page.getByLabel("Search").fill(`service ${9_000 + i}`);
  await page.getByText("1 key", { exact: true }).waitFor();
  searchesMs.push(performance.now() - typedMs);
  scriptBytes = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0);
  await close();
}
await browser.close();
await server.close();
const timesOf = (values: readonly number[]) => ({ medianMs: median(values), slowestMs: Math.max(...values) });
const figures: ConsoleFigures = {
  measured,
  loads: LOADS,
  keys: KEYS,
  load: timesOf(loadsMs),
  search: timesOf(searchesMs),
  scriptBytes,
};
console.log(consoleText(figures));
keep("console", ConsoleFigures, () => figures);
