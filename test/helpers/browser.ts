import { existsSync } from "node:fs";
import type { Suite } from "mocha";
import { type Browser, chromium } from "playwright-core";

const executablePath = process.env["CHROMIUM_PATH"] || "/usr/bin/chromium";

const JOURNEY_MS = 60_000;

/** Launch Debian's Chromium, headless, with everything off that talks to the network by itself. `without`: what playwright turns off. */
export async function openBrowser(
  more: readonly string[] = [],
  without: readonly string[] = [],
): Promise<Browser> {
  return chromium.launch({
    executablePath,
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
