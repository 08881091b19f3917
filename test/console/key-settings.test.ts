import { expect } from "chai";
import { describeInBrowser } from "../helpers/browser.ts";
import type { ConsolePage } from "../helpers/console.ts";
import { SocketClient } from "../helpers/socket-client.ts";
import { journey } from "./journey.ts";

describeInBrowser("a key's settings in the console", () => {
  const endpoints = [
    { id: "list-orders", method: "GET" as const, path: "/orders", handler: () => [] },
    { id: "make-order", method: "POST" as const, path: "/orders", handler: () => [] },
  ];
  const site = journey({ config: { endpoints } });
  let console: ConsolePage;
  beforeEach(async () => {
    console = await site.open();
  });

  const open = async (settings: Record<string, unknown>): Promise<{ id: string; secret: string }> => {
    const key = await site.server.createKey(settings);
    await console.visit(`/keys/${key.id}`);
    await console.page.getByRole("textbox", { name: "Key name" }).waitFor();
    return key;
  };
  const tab = (name: string) => console.page.getByRole("tab", { name });
  const save = async (): Promise<void> => {
    await console.page.getByRole("button", { name: "Save", exact: true }).click();
    await console.page.getByText("Saved.").first().waitFor();
    // The word of an earlier save may still be there.
    await console.page.getByText("No changes").waitFor();
  };
  const stored = async (id: string): Promise<unknown> =>
    (await site.server.admin(`/keys/${id}`)).body["settings"];

  it("are edited in every tab and saved in one step", async () => {
    const { page } = console;
    const { id } = await open({ name: "before" });
    await page.getByRole("textbox", { name: "Key name" }).fill("after");
    await page.getByRole("switch", { name: "Allow realtime" }).click();
    await page.getByRole("radio", { name: "Custom Allowed Endpoints" }).click();
    await page.getByRole("checkbox", { name: "POST /orders" }).click();
    await page.getByLabel("One that is not declared yet").fill("GET /later");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByLabel("Time zone").selectOption("Asia/Tokyo");
    await page.getByLabel("Expire date and time").fill("2030-01-31T09:00:00");
    await page.getByRole("textbox", { name: "Metadata" }).fill('{"team": "web"}');
    await tab("Allowed Domains").click();
    await page.getByRole("radio", { name: "Only Authorized Domains" }).click();
    await page.getByRole("button", { name: "+ Add Another One" }).click();
    await page.keyboard.type("app.example.com");
    await page.getByRole("button", { name: "+ Add Another One" }).click();
    await page.keyboard.type("https://*.example.org");
    await tab("Allowed IPs").click();
    await page.getByRole("radio", { name: "Only Authorized IPs" }).click();
    await page.getByRole("button", { name: "+ Add Another One" }).click();
    await page.keyboard.type("10.1.2.3/8");
    await page.getByRole("button", { name: "Add my address" }).click();
    await tab("Channels").click();
    await page.getByRole("radio", { name: "Only what these rules grant" }).click();
    await page.getByRole("button", { name: "+ Add Another One" }).click();
    await page.getByLabel("Pattern").fill("chat:*");
    await page.getByRole("checkbox", { name: "history" }).click();
    await page.getByRole("radio", { name: "Everyone connected, whatever their key" }).click();
    await tab("Limits").click();
    await page.getByRole("button", { name: "+ Add Another One" }).click();
    await page.getByLabel("Name").fill("burst");
    await page.getByLabel("At most").fill("50");
    await page.getByLabel("Within seconds").fill("10");
    await page.getByLabel("Counts").selectOption("joins");
    await page.getByLabel("For each").selectOption("key");
    await save();
    expect(await stored(id)).to.deep.include({
      name: "after",
      allowRealtime: true,
      endpoints: { mode: "custom-allowed", list: ["make-order", "GET /later"] },
      expiresAt: "2030-01-31T00:00:00Z",
      domains: { mode: "specified", list: ["https://app.example.com", "https://*.example.org"] },
      ips: { mode: "specified", list: ["10.0.0.0/8", "127.0.0.1"] },
      channels: [{ pattern: "chat:*", actions: ["join", "publish", "presence"] }],
      broadcastTo: "everyone",
      limits: [{ name: "burst", limit: 50, windowSeconds: 10, per: "key", kind: "joins" }],
      metadata: { team: "web" },
    });
    // What the server made of it is shown.
    await tab("Allowed Domains").click();
    expect(await page.getByLabel("Domain 1", { exact: true }).inputValue()).to.equal(
      "https://app.example.com",
    );
    await tab("General").click();
    await page.getByRole("button", { name: "Never" }).click();
    await page.getByRole("radio", { name: "Custom Exclude Endpoints" }).click();
    await save();
    expect(await stored(id)).to.deep.include({
      expiresAt: null,
      endpoints: { mode: "custom-excluded", list: ["make-order", "GET /later"] },
    });
  });

  it("show every fault at its field, and in the tab that holds it", async () => {
    const { page } = console;
    await open({
      name: "with faults",
      domains: { mode: "specified", list: ["https://a.example", "https://b.example"] },
      channels: [{ pattern: "a", actions: ["join"] }],
    });
    await page.getByRole("textbox", { name: "Key name" }).fill("x");
    await tab("Allowed Domains").click();
    await page.getByLabel("Domain 2", { exact: true }).fill("https://b.example/path");
    await tab("Channels").click();
    await page.getByLabel("Pattern").fill("a:**:b");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    for (const name of ["General", "Allowed Domains", "Channels"]) {
      await tab(name).getByLabel("1 fault").waitFor();
    }
    await tab("General").click();
    await page.locator("input[aria-invalid=true]").waitFor();
    expect(await page.getByRole("textbox", { name: "Key name" }).getAttribute("aria-invalid")).to.equal(
      "true",
    );
    await tab("Allowed Domains").click();
    expect(await page.getByLabel("Domain 1", { exact: true }).getAttribute("aria-invalid")).to.equal(null);
    expect(await page.getByLabel("Domain 2", { exact: true }).getAttribute("aria-invalid")).to.equal("true");
    await tab("Channels").click();
    expect(await page.getByLabel("Pattern").getAttribute("aria-invalid")).to.equal("true");
  });

  it("keep the nulls that metadata has, and say at the field which one a change cannot write", async () => {
    const { page } = console;
    const { id } = await open({ name: "with nulls", metadata: { team: null, size: 1 } });
    const metadata = page.getByRole("textbox", { name: "Metadata" });
    await metadata.fill('{ "team": null, "size": 2, "tags": [null] }');
    await save();
    expect(await stored(id)).to.deep.include({ metadata: { team: null, size: 2, tags: [null] } });
    const sent: string[] = [];
    page.on("request", (request) => {
      if (request.method() !== "GET") sent.push(request.url());
    });
    await metadata.fill('{ "team": null, "size": null, "owner": { "mail": null } }');
    await tab("Limits").click();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.locator("textarea[aria-invalid=true]:focus").waitFor();
    await page.getByText("/size cannot be changed to null").waitFor();
    await page.getByText("/owner/mail cannot be changed to null").waitFor();
    expect(sent).to.deep.equal([]);
    await metadata.fill("null");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.locator("textarea[aria-invalid=true]").waitFor();
    expect(await stored(id)).to.deep.include({ metadata: { team: null, size: 2, tags: [null] } });
    await metadata.fill('{ "team": null }');
    await save();
    expect(await stored(id)).to.deep.include({ metadata: { team: null } });
  });

  it("say before saving whom a change closes, with examples, and close nobody when one goes back", async () => {
    const { page } = console;
    const { id, secret } = await open({ name: "busy", allowRealtime: true });
    const extraHeaders = { origin: "https://app.example.com" };
    const clients = await Promise.all([
      new SocketClient(site.server.url, { apiKey: secret }).ready(),
      new SocketClient(site.server.url, { apiKey: secret }, { extraHeaders }).ready(),
      new SocketClient(site.server.url, { apiKey: secret }, { extraHeaders }).ready(),
    ]);
    const [stranger, ...pages] = clients;
    await tab("Allowed Domains").click();
    await page.getByRole("radio", { name: "Only Authorized Domains" }).click();
    await page.getByRole("button", { name: "+ Add Another One" }).click();
    await page.keyboard.type("https://app.example.com");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Before you save" });
    await dialog.getByText("This will close 1 of 3 connections.").waitFor();
    await dialog.getByText("missing_request_origin").waitFor();
    await dialog.getByRole("list", { name: "Examples" }).getByText("no origin · 127.0.0.1").waitFor();
    await dialog.getByRole("button", { name: "Keep editing" }).click();
    expect(await stored(id)).to.have.nested.property("domains.mode", "all");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.getByRole("button", { name: "Save and close 1" }).click();
    await page.getByText("Saved.").first().waitFor();
    await stranger?.next("disconnect");
    for (const client of pages) {
      await client.settle();
      client.close();
    }
  });

  it("are put back by one click, and that says whom it closes too", async () => {
    const { page } = console;
    const { id, secret } = await open({ name: "first name", allowRealtime: false });
    expect(await page.getByRole("button", { name: "Undo the last edit" }).isEnabled()).to.equal(false);
    await page.getByRole("switch", { name: "Allow realtime" }).click();
    await page.getByRole("textbox", { name: "Key name" }).fill("second name");
    await save();
    const client = await new SocketClient(site.server.url, { apiKey: secret }).ready();
    await page.getByRole("button", { name: "Undo the last edit" }).click();
    await page.getByText("This will close 1 of 1 connection.").waitFor();
    await page.getByRole("button", { name: "Save and close 1" }).click();
    await client.next("disconnect");
    await page.getByText("Version 1 is back.").waitFor();
    expect(await page.getByRole("textbox", { name: "Key name" }).inputValue()).to.equal("first name");
    expect(await stored(id)).to.deep.include({ name: "first name", allowRealtime: false });
  });

  it("are not left without a question while something is not saved", async () => {
    const { page } = console;
    await console.visit("");
    const { id } = await site.server.createKey({ name: "guarded" });
    await page.reload();
    await page.getByRole("link", { name: "guarded" }).click();
    await page.getByRole("textbox", { name: "Key name" }).fill("not saved");
    const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
    await page.getByRole("link", { name: "Audit" }).click();
    await dialog.getByRole("button", { name: "Stay" }).click();
    await page.goBack();
    await dialog.getByRole("button", { name: "Stay" }).click();
    // Another tab of the same key is no leaving.
    await tab("Limits").click();
    await tab("General").click();
    expect(await page.getByRole("textbox", { name: "Key name" }).inputValue()).to.equal("not saved");
    await page.getByRole("link", { name: "Audit" }).click();
    await dialog.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("heading", { name: "Audit" }).waitFor();
    expect(await stored(id)).to.deep.include({ name: "guarded" });
  });

  it("refuse a date that is half typed instead of taking it for never", async () => {
    const { page } = console;
    const { id } = await open({ name: "ends", expiresAt: "2030-01-01T00:00:00Z" });
    await page.getByLabel("Expire date and time").focus();
    await page.keyboard.press("Backspace");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.locator("input[type=datetime-local][aria-invalid=true]").waitFor();
    expect(await stored(id)).to.deep.include({ expiresAt: "2030-01-01T00:00:00Z" });
  });

  it("stay quick with thousands of entries, which are then lines of a text", async () => {
    const { page } = console;
    const list = Array.from({ length: 5_000 }, (_, index) => `https://app-${index}.example.com`);
    const { id } = await open({ name: "many domains", domains: { mode: "specified", list } });
    await tab("Allowed Domains").click();
    const field = page.getByLabel("Domain list, one a line");
    await field.focus();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("\nhttps://last.example.com");
    await save();
    expect(await stored(id)).to.have.nested.property("domains.list[5000]", "https://last.example.com");
  });

  it("show what was done to the key and whom it refused", async () => {
    const { page } = console;
    const { id, secret } = await open({ name: "refuses", allowRealtime: true });
    await site.server.patchKey(id, { allowRealtime: false });
    const client = new SocketClient(site.server.url, { apiKey: secret });
    expect(await client.refusal()).to.include({ code: "realtime_not_allowed" });
    await tab("Activity").click();
    await page.getByText("Key changed").waitFor();
    await page.getByText("Key created").waitFor();
    await page.locator("[data-code=realtime_not_allowed]").first().waitFor();
    await page.getByRole("link", { name: "Why? realtime_not_allowed" }).first().click();
    await page.getByRole("region", { name: "Answer" }).getByText("realtime_not_allowed").first().waitFor();
  });
});
