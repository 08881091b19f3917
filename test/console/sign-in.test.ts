import { expect } from "chai";
import type { Browser } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { type ConsolePage, openConsole } from "../helpers/console.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describeInBrowser("signing in to the console", () => {
  let server: TestServer;
  let browser: Browser;
  let console: ConsolePage;
  before(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    await server.createKey({ name: "web frontend" });
  });
  after(async () => {
    await browser.close();
    await server.close();
  });
  afterEach(async () => {
    expect(console.offences).to.deep.equal([]);
    await console.close();
  });

  it("takes the admin token and nothing else, and lets go of it at the end", async () => {
    console = await openConsole(browser, server, { signedIn: false });
    const { page, visit, context } = console;
    await visit("");
    await page.getByLabel("Admin token").fill("not the token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This is not the admin token").waitFor();
    await page.locator("[aria-invalid=true]").waitFor();
    await page.getByLabel("Admin token").fill(server.adminToken);
    await page.getByLabel("Admin token").press("Enter");
    await page.getByRole("link", { name: "web frontend" }).waitFor();
    expect(await page.evaluate("document.cookie + JSON.stringify(localStorage)")).to.not.include(
      server.adminToken,
    );
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Admin token").waitFor();
    const answer = await context.request.get(`${server.adminUrl}/admin/v1/keys`);
    expect(answer.status()).to.equal(401);
  });

  it("comes back to the page that was asked for", async () => {
    console = await openConsole(browser, server, { signedIn: false });
    const { page, visit } = console;
    await visit("/keys?search=front");
    await page.getByLabel("Admin token").fill(server.adminToken);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "web frontend" }).waitFor();
    expect(await page.getByLabel("Search").inputValue()).to.equal("front");
  });

  it("asks again when the session has ended, and keeps what was typed", async () => {
    console = await openConsole(browser, server);
    const { page, visit, context } = console;
    const { id } = await server.createKey({ name: "edited while the session ends" });
    await visit(`/keys/${id}`);
    await page.getByLabel("Key name").fill("typed before the end");
    await context.clearCookies();
    await page.getByRole("button", { name: "Save" }).click();
    const dialog = page.getByRole("dialog", { name: "Your session ended" });
    await dialog.getByLabel("Admin token").fill(server.adminToken);
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Saved.").waitFor();
    expect(await page.getByLabel("Key name").inputValue()).to.equal("typed before the end");
    const { body } = await server.admin(`/keys/${id}`);
    expect(body).to.have.nested.property("settings.name", "typed before the end");
  });

  it("says that the server is away, and goes on when it is back", async () => {
    console = await openConsole(browser, server);
    const { page, visit, context } = console;
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
