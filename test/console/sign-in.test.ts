import { expect } from "chai";
import { describeInBrowser } from "../helpers/browser.ts";
import { journey } from "./journey.ts";

describeInBrowser("signing in to the console", () => {
  const site = journey();
  before(async () => {
    await site.server.createKey({ name: "web frontend" });
  });

  it("takes the admin token and nothing else, and lets go of it at the end", async () => {
    const { page, visit, context } = await site.open({ signedIn: false });
    await visit("");
    await page.getByLabel("Admin token").fill("not the token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This is not the admin token").waitFor();
    await page.locator("[aria-invalid=true]").waitFor();
    await page.getByLabel("Admin token").fill(site.server.adminToken);
    await page.getByLabel("Admin token").press("Enter");
    await page.getByRole("link", { name: "web frontend" }).waitFor();
    expect(await page.evaluate("document.cookie + JSON.stringify(localStorage)")).to.not.include(
      site.server.adminToken,
    );
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Admin token").waitFor();
    const answer = await context.request.get(`${site.server.adminUrl}/admin/v1/keys`);
    expect(answer.status()).to.equal(401);
  });

  it("comes back to the page that was asked for", async () => {
    const { page, visit } = await site.open({ signedIn: false });
    await visit("/keys?search=front");
    await page.getByLabel("Admin token").fill(site.server.adminToken);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "web frontend" }).waitFor();
    expect(await page.getByLabel("Search").inputValue()).to.equal("front");
  });

  it("asks again when the session has ended, and keeps what was typed", async () => {
    const { page, visit, context } = await site.open();
    const { id } = await site.server.createKey({ name: "edited while the session ends" });
    await visit(`/keys/${id}`);
    await page.getByLabel("Key name").fill("typed before the end");
    await context.clearCookies();
    await page.getByRole("button", { name: "Save" }).click();
    const dialog = page.getByRole("dialog", { name: "Your session ended" });
    await dialog.getByLabel("Admin token").fill(site.server.adminToken);
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Saved.").waitFor();
    expect(await page.getByLabel("Key name").inputValue()).to.equal("typed before the end");
    const { body } = await site.server.admin(`/keys/${id}`);
    expect(body).to.have.nested.property("settings.name", "typed before the end");
  });

  it("says that the server is away, and goes on when it is back", async () => {
    const { page, visit, context } = await site.open();
    await visit("");
    await page.getByRole("link", { name: "web frontend" }).waitFor();
    await context.setOffline(true);
    await page.getByLabel("State").selectOption("active");
    await page.getByText("The server does not answer", { exact: false }).waitFor();
    await context.setOffline(false);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("link", { name: "web frontend" }).waitFor();
  });
});
