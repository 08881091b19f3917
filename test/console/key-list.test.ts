import { expect } from "chai";
import type { Browser } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { type ConsolePage, openConsole } from "../helpers/console.ts";
import { importKeys } from "../helpers/many-keys.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describeInBrowser("the list of keys in the console", () => {
  let server: TestServer;
  let browser: Browser;
  let console: ConsolePage;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser.close());
  beforeEach(async () => {
    server = await startServer();
    console = await openConsole(browser, server);
  });
  afterEach(async () => {
    expect(console.offences).to.deep.equal([]);
    await console.close();
    await server.close();
  });

  const connected = (apiKey: string) => new SocketClient(server.url, { apiKey }).ready();
  const rows = () => console.page.locator("tbody tr[data-key]");
  const names = () => rows().getByRole("link").allTextContents();
  const menuOf = async (name: string, item: string): Promise<void> => {
    await console.page.getByRole("button", { name: `Actions for ${name}` }).click();
    await console.page.getByRole("menuitem", { name: item }).click();
  };

  it("shows each key's state, its use and its connections", async () => {
    const { page, visit } = console;
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    const { id } = await server.createKey({ name: "in use", allowRealtime: true });
    await server.createKey({ name: "ends soon", expiresAt: inAnHour });
    await server.createKey({ name: "ended", expiresAt: "2020-01-01T00:00:00Z" });
    await server.createKey({ name: "is off", enabled: false });
    const rotated = await server.createKey({ name: "turns" });
    const { body } = await server.admin(`/keys/${rotated.id}/rotate`, { method: "POST", body: {} });
    expect(body["state"]).to.equal("rotating");
    const used = await server.admin(`/keys/${id}/rotate`, { method: "POST", body: { overlapSeconds: 0 } });
    const client = await connected(String(used.body["secret"]));
    try {
      await visit("/keys?sort=name&order=asc");
      const row = (name: string) => rows().filter({ hasText: name });
      await row("ends soon").getByText("Expiring soon").filter({ visible: true }).waitFor();
      await row("ended").getByText("Expired", { exact: true }).filter({ visible: true }).waitFor();
      await row("is off").getByText("Disabled").filter({ visible: true }).waitFor();
      await row("turns").getByText("Rotating").filter({ visible: true }).waitFor();
      await row("in use").getByText("Active").filter({ visible: true }).waitFor();
      await row("in use").getByRole("cell", { name: "1", exact: true }).waitFor();
      expect(await page.getByRole("status").filter({ hasText: "keys" }).textContent()).to.equal("5 keys");
    } finally {
      client.close();
    }
  });

  it("searches while one types, sorts by a column, and keeps both in the address", async () => {
    const { page, visit } = console;
    for (const name of ["beta 10", "beta 9", "alpha"]) await server.createKey({ name });
    await visit("");
    await page.getByRole("button", { name: "Name" }).click();
    await page.waitForURL(/sort=name/);
    await rows().nth(2).waitFor();
    await rows().first().filter({ hasText: "alpha" }).waitFor();
    expect(await names()).to.deep.equal(["alpha", "beta 9", "beta 10"]);
    expect(await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort")).to.equal(
      "ascending",
    );
    await page.keyboard.press("/");
    await page.keyboard.type("BETA");
    await page.waitForURL(/search=BETA/);
    await page.getByText("2 keys").waitFor();
    await page.reload();
    await page.getByText("2 keys").waitFor();
    expect(await names()).to.deep.equal(["beta 9", "beta 10"]);
    await page.getByLabel("Search").fill("nobody is called that");
    await page.getByText("No key is like that.").waitFor();
  });

  it("makes a key, and shows its secret once", async () => {
    const { page, visit } = console;
    await visit("");
    await page.getByRole("link", { name: "New key" }).click();
    await page.getByLabel("Key name").fill("made in the console");
    await page.getByRole("button", { name: "Create the key" }).click();
    const secret = await page.getByTestId("secret").textContent();
    expect(secret).to.match(/^slc_[0-9A-Za-z]{38}$/);
    const client = await connected(secret ?? "");
    client.close();
    await page.getByRole("button", { name: "I have stored it" }).click();
    await page.getByRole("heading", { name: "made in the console" }).waitFor();
    expect(await page.content()).to.not.include(secret);
  });

  it("duplicates a key under a new name, with a secret of its own", async () => {
    const { page, visit } = console;
    await server.createKey({ name: "original", ips: { mode: "specified", list: ["10.0.0.0/8"] } });
    await visit("");
    await menuOf("original", "Duplicate");
    await page.getByLabel("Name of the new key").fill("twin");
    await page.getByRole("button", { name: "Duplicate" }).click();
    await page.getByTestId("secret").waitFor();
    await page.getByRole("button", { name: "I have stored it" }).click();
    await page.getByRole("tab", { name: "Allowed IPs" }).click();
    expect(await page.getByLabel("Address 1", { exact: true }).inputValue()).to.equal("10.0.0.0/8");
  });

  it("disables a key after saying whom that closes, and enables it again", async () => {
    const { page, visit } = console;
    const { id, secret } = await server.createKey({ name: "busy", allowRealtime: true });
    const clients = await Promise.all([connected(secret), connected(secret)]);
    await visit("");
    await menuOf("busy", "Disable");
    await page.getByText("This closes 2 connections at once.").waitFor();
    await page.getByRole("button", { name: "Disable", exact: true }).click();
    await rows().getByText("Disabled").filter({ visible: true }).waitFor();
    await Promise.all(clients.map((client) => client.next("disconnect")));
    await menuOf("busy", "Enable");
    await rows().getByText("Active").filter({ visible: true }).waitFor();
    const { body } = await server.admin(`/keys/${id}`);
    expect(body).to.have.nested.property("settings.enabled", true);
  });

  it("rotates a secret with the overlap that is chosen", async () => {
    const { page, visit } = console;
    const { id, secret } = await server.createKey({ name: "to rotate", allowRealtime: true });
    await visit("");
    await menuOf("to rotate", "Rotate the secret");
    await page.getByLabel("The old secret works for").selectOption({ label: "One hour" });
    await page.getByRole("button", { name: "Rotate", exact: true }).click();
    const fresh = await page.getByTestId("secret").textContent();
    expect(fresh).to.not.equal(secret);
    await page.getByRole("button", { name: "I have stored it" }).click();
    await rows().getByText("Rotating").filter({ visible: true }).waitFor();
    const { body } = await server.admin(`/keys/${id}`);
    const { secrets } = body;
    const old = Array.isArray(secrets) ? Date.parse(secrets[1].validUntil) : 0;
    expect(old - Date.now()).to.be.within(3_500_000, 3_600_000);
  });

  it("deletes a key after saying whom that closes", async () => {
    const { page, visit } = console;
    const { id, secret } = await server.createKey({ name: "to delete", allowRealtime: true });
    const client = await connected(secret);
    await visit("");
    await menuOf("to delete", "Delete");
    await page.getByText("This closes 1 connection at once.").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    expect((await server.admin(`/keys/${id}`)).status).to.equal(200);
    await menuOf("to delete", "Delete");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("There is no key yet.").waitFor();
    await client.next("disconnect");
    expect((await server.admin(`/keys/${id}`)).status).to.equal(404);
  });

  it("stays quick with ten thousand keys", async () => {
    const { page, visit } = console;
    await importKeys(server, 10_000, (index) => ({ name: `service ${index}`, enabled: index % 10 !== 0 }));
    await visit("/keys?sort=name&order=asc");
    // The console learns of an import of thousands from the key feed, on a busy machine after a while.
    await page.getByText("10,000 keys").waitFor({ timeout: 30_000 });
    expect(await rows().count()).to.equal(50);
    expect(await page.evaluate("document.querySelectorAll('*').length")).to.be.below(3_000);
    await page.getByLabel("Search").fill("service 9999");
    await page.getByText("1 key", { exact: true }).waitFor();
    expect(await names()).to.deep.equal(["service 9999"]);
    await page.getByLabel("Search").fill("");
    await page.getByText("10,000 keys").waitFor();
    await page.getByLabel("State").selectOption("disabled");
    await page.getByText("1,000 keys").waitFor();
    await page
      .getByRole("button", { name: "last page" })
      .or(page.getByRole("button", { name: "Page 20" }))
      .last()
      .click();
    await rows().filter({ hasText: "service 9990" }).waitFor();
  });
});
