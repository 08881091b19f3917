import { expect } from "chai";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../helpers/browser.ts";
import { whenTrue } from "../helpers/console.ts";
import { journey } from "./journey.ts";

describeInBrowser("the console while a part of it cannot be loaded", () => {
  const site = journey();

  /** As with the network away, or a file that an upgrade took. Returns what brings the file back. */
  const withhold = async (page: Page, name: string): Promise<() => Promise<void>> => {
    const pattern = `**/assets/${name}-*.js`;
    await page.route(pattern, (route) => route.abort());
    return () => page.unroute(pattern);
  };
  const missing = (page: Page) => page.getByRole("alert").filter({ hasText: "could not be loaded" });

  it("keeps the list, says so, and opens a dialog once its file is there", async () => {
    const { id } = await site.server.createKey({ name: "to be deleted" });
    const { page, visit } = await site.open();
    const bringBack = await withhold(page, "key-action-dialog");
    await visit("/keys");
    await page.getByRole("button", { name: "Actions for to be deleted" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await missing(page).waitFor();
    await page.getByRole("link", { name: "to be deleted" }).waitFor();
    await bringBack();
    await missing(page).getByRole("button", { name: "Try again" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("is deleted").waitFor();
    expect((await site.server.admin(`/keys/${id}`)).status).to.equal(404);
  });

  it("goes to a page whose file is there after one whose file is not", async () => {
    const { page, visit } = await site.open();
    const bringBack = await withhold(page, "live-page");
    await visit("/keys");
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await missing(page).waitFor();
    await page.getByRole("link", { name: "API keys" }).click();
    await page.getByRole("heading", { name: "API keys" }).waitFor();
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await missing(page).waitFor();
    await bringBack();
    await missing(page).getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Live" }).waitFor();
  });

  it("saves and leaves while the files of the server are gone", async () => {
    const { id } = await site.server.createKey({ name: "before" });
    const { page, visit } = await site.open();
    await visit(`/keys/${id}`);
    const name = page.getByRole("textbox", { name: "Key name" });
    await name.fill("after");
    // Loaded beforehand, since nobody knows when they are needed.
    await whenTrue(
      page,
      "performance.getEntriesByType('resource').some(({ name }) => name.includes('/leave-dialog-'))",
    );
    await whenTrue(
      page,
      "performance.getEntriesByType('resource').some(({ name }) => name.includes('/live-page-'))",
    );
    await page.route("**/assets/**", (route) => route.abort());
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await page
      .getByRole("dialog", { name: "Leave without saving?" })
      .getByRole("button", { name: "Stay" })
      .click();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved.").waitFor();
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await page.getByRole("heading", { name: "Live" }).waitFor();
  });

  it("offers to reload after an upgrade, and what was typed is there again", async () => {
    const { id } = await site.server.createKey({ name: "before the upgrade" });
    const { page, visit } = await site.open();
    const bringBack = await withhold(page, "settings-trial");
    await page.route("**/console/", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: '<script src="/console/assets/index-newer.js"></script>',
      }),
    );
    await visit(`/keys/${id}`);
    await page.getByRole("textbox", { name: "Key name" }).fill("typed before the upgrade");
    // Somebody else's change is neither lost nor undone by it.
    await site.server.patchKey(id, { metadata: { by: "somebody else" } });
    await page.getByText("The server was updated", { exact: true }).waitFor();
    await bringBack();
    await page.unroute("**/console/");
    await page.getByRole("button", { name: "Reload" }).first().click();
    const name = page.getByRole("textbox", { name: "Key name" });
    await name.waitFor();
    await page.getByText("Changes that are not saved").waitFor();
    expect(await name.inputValue()).to.equal("typed before the upgrade");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved.").waitFor();
    const { body } = await site.server.admin(`/keys/${id}`);
    expect(body["settings"]).to.deep.include({
      name: "typed before the upgrade",
      metadata: { by: "somebody else" },
    });
  });
});
