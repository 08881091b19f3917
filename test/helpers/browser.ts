import { existsSync } from "node:fs";
import type { Suite } from "mocha";
import { type Browser, chromium } from "playwright-core";

const { CHROMIUM_PATH } = process.env;
/** Chromium with its windows and menus, which has what the other lacks, such as the back/forward cache. */
export const WHOLE_CHROMIUM = CHROMIUM_PATH || "/usr/bin/chromium";
/** Debian's Chromium without windows and menus does the same with half the processor time. */
const SHELL = "/usr/bin/chromium-headless-shell";
const executablePath = CHROMIUM_PATH === undefined && existsSync(SHELL) ? SHELL : WHOLE_CHROMIUM;

const JOURNEY_MS = 120_000;

/** Launch Debian's Chromium, headless, with everything off that talks to the network by itself. `without`: what playwright turns off. */
export async function openBrowser(
  more: readonly string[] = [],
  without: readonly string[] = [],
  executable = executablePath,
): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    headless: true,
    ignoreDefaultArgs: [...without],
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });
}

/** A suite that needs Chromium: without it, skipped by name, and failed when CI is set. */
export function describeInBrowser(title: string, fn: (this: Suite) => void): void {
  if (existsSync(executablePath)) {
    describe(title, function () {
      // A journey has many steps, and each has a limit of its own that says what was missing.
      this.timeout(JOURNEY_MS);
      fn.call(this);
    });
  } else if (process.env["CI"]) {
    describe(title, () => {
      it("has Chromium", () => {
        throw new Error(`${executablePath} is missing: run scripts/test-setup.mjs or set CHROMIUM_PATH`);
      });
    });
  } else {
    describe(title, () => {
      it.skip(`needs Chromium at ${executablePath}`, () => {});
    });
  }
}
