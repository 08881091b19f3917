import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { openConsole } from "../helpers/console.ts";
import { startServer } from "../helpers/server.ts";

describeInBrowser("the console while the server restarts", () => {
  it("says so, comes back by itself after a new sign-in, and keeps what was typed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-restart-"));
    const store = `lmdb:${folder}`;
    let server = await startServer({ config: { store } });
    const ports = { port: server.port, adminPort: Number(new URL(server.adminUrl).port) };
    const browser = await openBrowser();
    try {
      const { page, visit, offences } = await openConsole(browser, server);
      const { id } = await server.createKey({ name: "before the restart" });
      await visit(`/keys/${id}`);
      await page.getByRole("textbox", { name: "Key name" }).fill("typed before the restart");
      await page.locator(".dot[data-tone=good]").waitFor();
      await server.close();
      await page.locator(".dot[data-tone=bad]").waitFor();
      server = await startServer({ config: { store, ...ports } });
      const dialog = page.getByRole("dialog", { name: "Your session ended" });
      await dialog.getByLabel("Admin token").fill(server.adminToken, { timeout: 30_000 });
      await dialog.getByRole("button", { name: "Sign in" }).click();
      await page.locator(".dot[data-tone=good]").waitFor();
      expect(await page.getByRole("textbox", { name: "Key name" }).inputValue()).to.equal(
        "typed before the restart",
      );
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByText("Saved.").waitFor();
      const { body } = await server.admin(`/keys/${id}`);
      expect(body).to.have.nested.property("settings.name", "typed before the restart");
      expect(offences).to.deep.equal([]);
    } finally {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    }
  });
});
