import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { Command } from "../helpers/command.ts";
import { openConsole } from "../helpers/console.ts";

const ADMIN_TOKEN = "settings-admin-token-0123456789";

describeInBrowser("realtime settings in the console", () => {
  let folder: string;
  let browser: Browser;
  let command: Command;
  let adminUrl: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "sluice-settings-"));
    const file = {
      keyRequired: false,
      endpointPrefix: "/from-the-file",
      trustedProxies: ["10.0.0.0/8", "192.0.2.1"],
      store: "memory:",
    };
    writeFileSync(join(folder, "sluice.config.json"), JSON.stringify(file));
    command = new Command(["start", "--port", "0", "--admin-port", "0"], {
      cwd: folder,
      env: { SLUICE_ADMIN_TOKEN: ADMIN_TOKEN, SLUICE_ENDPOINT_PREFIX: "/from-the-environment" },
    });
    browser = await openBrowser();
    const [, url = ""] = await command.output(/"adminUrl":"([^"]+)"/);
    adminUrl = url;
  });
  after(async () => {
    await browser.close();
    await command.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });

  it("are shown with the source that won, without a secret, and with how the server stands", async () => {
    const { page, visit, offences, close } = await openConsole(browser, {
      adminUrl,
      adminToken: ADMIN_TOKEN,
    });
    await visit("/settings");
    const setting = (name: string) => page.locator(`[data-setting="${name}"]`);
    await setting("keyRequired").waitFor();
    const expected: readonly (readonly [string, string, string])[] = [
      ["port", "flag", "Command line"],
      ["endpointPrefix", "environment", "/from-the-environment"],
      ["keyRequired", "file", "off"],
      ["trustedProxies", "file", "10.0.0.0/8, 192.0.2.1"],
      ["realtime", "default", "on"],
      ["adminToken", "environment", "SLUICE_ADMIN_TOKEN"],
    ];
    for (const [name, source, text] of expected) {
      const row = setting(name);
      expect(await row.getAttribute("data-source"), name).to.equal(source);
      expect(await row.textContent(), name).to.include(text);
    }
    const server = page.getByRole("region", { name: "Server" });
    const facts = (await server.textContent()) ?? "";
    expect(facts).to.include("RealtimeOn").and.include("API keyNot required").and.include(process.version);
    expect(await page.locator("body").textContent()).to.not.include(ADMIN_TOKEN);

    await page.getByLabel("Filter").fill("SLUICE_TRUSTED");
    await setting("keyRequired").waitFor({ state: "detached" });
    expect(await page.locator("[data-setting]").count()).to.equal(1);
    expect(offences).to.deep.equal([]);
    await close();
  });
});
