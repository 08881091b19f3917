import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { TestServer } from "./server.ts";

export type ConsolePage = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What a page must not do: ask anybody else, break its own policy, or throw. */
  readonly offences: readonly string[];
  /** Go to a page of the console by its path. */
  visit(path: string): Promise<void>;
  close(): Promise<void>;
};

export type ConsoleOptions = {
  readonly scheme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
  readonly signedIn?: boolean;
};

/** The console of a server in a browser profile of its own, signed in unless told otherwise. */
export async function openConsole(
  browser: Browser,
  server: Pick<TestServer, "adminUrl" | "adminToken">,
  { scheme = "light", width = 1280, height = 900, signedIn = true }: ConsoleOptions = {},
): Promise<ConsolePage> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(30_000);
  const offences: string[] = [];
  const page = await context.newPage();
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${server.adminUrl}/`) && !url.startsWith("data:")) offences.push(`asked ${url}`);
  });
  page.on("pageerror", (error) => offences.push(`threw ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    if (/content security policy|refused to/i.test(text)) offences.push(text);
  });
  const visit = async (path: string): Promise<void> => {
    await page.goto(`${server.adminUrl}/console${path}`);
  };
  if (signedIn) {
    const answer = await context.request.post(`${server.adminUrl}/admin/v1/session`, {
      data: { token: server.adminToken },
      headers: { origin: server.adminUrl },
    });
    if (!answer.ok()) throw new Error(`no session: ${answer.status()} ${await answer.text()}`);
  }
  return { page, context, offences, visit, close: () => context.close() };
}

/** Resolves when an expression is true on the page. Playwright's own waits evaluate text, which the page's policy forbids. */
export async function whenTrue(page: Page, expression: string): Promise<void> {
  await page.evaluate(
    `new Promise((resolve) => { const look = () => (${expression}) ? resolve(null) : setTimeout(look, 20); look(); })`,
  );
}

const axeFile = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

type AxeViolation = {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
};

/** What axe-core calls serious or critical about the page as it is now: rule, and where. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // At rest: a button that has just been enabled still has the colours of one that is not.
  await page.evaluate(
    "Promise.allSettled(document.getAnimations().filter((one) => one instanceof CSSTransition).map(({ finished }) => finished)).then(() => null)",
  );
  // Evaluated through the debugger, which the page's policy does not bind.
  await page.evaluate(readFileSync(axeFile, "utf8"));
  const violations: readonly AxeViolation[] = await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 300)}`),
    );
}
