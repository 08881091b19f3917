import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { type ConsolePage, openConsole } from "../helpers/console.ts";
import { toRecord } from "../helpers/record.ts";
import { type CreatedKey, startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const HOSTILE = '<img src=x onerror="window.isHacked=true"> \u202egnp.exe\u2066 \u0000';

describeInBrowser("the console's live pages", () => {
  let browser: Browser;
  let server: TestServer;
  let key: CreatedKey;
  let operator: ConsolePage;
  let page: Page;
  let clients: SocketClient[];

  before(async () => {
    browser = await openBrowser();
    server = await startServer({
      config: { endpoints: [{ id: "list-orders", method: "GET", path: "/orders", handler: () => [] }] },
    });
    key = await server.createKey({
      name: "web frontend",
      allowRealtime: true,
      endpoints: { mode: "full-access" },
    });
  });
  after(async () => {
    await browser.close();
    await server.close();
  });
  beforeEach(() => {
    clients = [];
  });
  afterEach(async () => {
    for (const client of clients) client.close();
    expect(operator.offences).to.deep.equal([]);
    await operator.close();
  });

  async function open(path: string): Promise<void> {
    operator = await openConsole(browser, server);
    page = operator.page;
    await operator.visit(path);
  }
  async function connect(...channels: string[]): Promise<SocketClient> {
    const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    clients.push(client);
    for (const channel of channels) {
      expect(await client.request("join", { channel })).to.include({ ok: true });
    }
    return client;
  }
  const rows = () => page.locator("tr[data-connection]");
  const lines = () => page.getByTestId("tail").locator("li");
  const status = (text: string) => page.getByRole("status").filter({ hasText: text }).first();
  const isLive = () => status("Live").waitFor();
  const tailIsOpen = () => page.getByText("Waiting for messages…").waitFor();
  const publish = async (client: SocketClient, channel: string, message: unknown, eventName = "said") => {
    expect(await client.request("message", { channel, eventName, message })).to.include({ ok: true });
  };

  it("closes one connection after a question, and its client hears why", async () => {
    const [other, victim] = [await connect("lobby"), await connect("lobby", "news")];
    await open("/live");
    const row = page.locator(`tr[data-connection="${victim.socket.id}"]`);
    expect(await row.textContent())
      .to.include("web frontend")
      .and.include("127.0.0.1")
      .and.include("news");
    const close = page.getByRole("button", { name: `Close ${victim.socket.id}`, exact: true });
    await close.click();
    const dialog = page.getByRole("dialog", { name: "Close this connection?" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "hidden" });
    // The focus goes back to where it was, a moment later; the rest needs no mouse.
    await page.locator("button:focus").and(close).waitFor();
    await page.keyboard.press("Enter");
    await dialog.locator("button:focus").filter({ hasText: "Cancel" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await victim.next("connection:closing")).to.include({ code: "closed_by_operator", retry: false });
    await row.waitFor({ state: "detached" });
    await page.getByText("The connection is closed.").waitFor();
    expect(other.socket.connected).to.equal(true);
  });

  it("filters connections by key, channel and address, and keeps the filter in the address of the page", async () => {
    await Promise.all(Array.from({ length: 60 }, () => connect("full")));
    const alone = await connect("alone");
    await open("/live");
    await status("61 connections").waitFor();
    expect(await rows().count()).to.equal(50);
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("51 to 61 of 61").waitFor();
    await page.getByRole("button", { name: "Previous" }).click();
    await page.getByText("1 to 50 of 61").waitFor();
    await page.getByLabel("In the channel").fill("alone");
    await status("1 connection").waitFor();
    await page.locator(`tr[data-connection="${alone.socket.id}"]`).waitFor();
    await page.getByLabel("Address or range").fill("10.0.0.0/8");
    await page.getByText("Nobody is connected like that.").waitFor();
    await page.reload();
    await page.getByText("Nobody is connected like that.").waitFor();
    await page.getByLabel("Address or range").fill("10.0.0.0/99");
    await page.locator("input[aria-invalid=true]").waitFor();
    await page.getByLabel("Address or range").fill("127.0.0.1");
    await page.locator(`tr[data-connection="${alone.socket.id}"]`).waitFor();
    await page.getByRole("combobox", { name: "Key" }).fill("web front");
    await page.getByRole("option", { name: /web frontend/ }).click();
    await page.waitForURL(new RegExp(key.id));
    await page.locator(`tr[data-connection="${alone.socket.id}"]`).waitFor();
  });

  it("shows totals that move, and channels by their prefix with members and rates", async () => {
    await open("/live?view=channels");
    await isLive();
    const figure = (name: string) => page.locator(`[data-figure="${name}"] [data-value]`);
    const client = await connect("chat:1", "chat:2", "news:1");
    await figure("Connections").filter({ hasText: /^1$/ }).waitFor();
    await figure("Channels").filter({ hasText: /^3$/ }).waitFor();
    await page.getByLabel("Channels that begin with").fill("chat:");
    await status("2 channels").waitFor();
    await publish(client, "chat:2", "hello");
    const row = page.getByRole("row").filter({ hasText: "chat:2" });
    await row.getByRole("cell").nth(3).filter({ hasText: /^1$/ }).waitFor();
    await row.getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: "chat:2" }).waitFor();
    await page.locator(`[data-member="${client.socket.id}"]`).waitFor();
  });

  it("tails a channel with whatever is in its messages as text", async () => {
    const client = await connect("tailed");
    await client.request("update", { data: { name: HOSTILE } });
    await open("/live/channel?name=tailed");
    await tailIsOpen();
    await publish(client, "tailed", { text: HOSTILE }, "<b>bold</b>\u202e");
    await publish(client, "tailed", "x".repeat(200_000));
    await page.getByText("Show more").click();
    await page.getByText("The rest is too long to be shown here.").waitFor();
    const shown = (await lines().allTextContents()).join("\n");
    expect(shown).to.include("<img src=x onerror=").and.include("<b>bold</b>").and.include("\\u202egnp.exe");
    const whole = (await page.locator("main").textContent()) ?? "";
    expect(whole).to.not.match(/[\u202e\u2066]/);
    expect(whole.length).to.be.below(20_000);
    expect(await page.locator("main img, main b").count()).to.equal(0);
    expect(await page.evaluate(() => "isHacked" in window)).to.equal(false);
  });

  it("says who sent a message: a connection, a program by its key, or the server", async () => {
    const client = await connect("senders");
    await open("/live/channel?name=senders");
    await tailIsOpen();
    await publish(client, "senders", "by a connection");
    const response = await fetch(`${server.url}/channels/publish`, {
      method: "POST",
      headers: { authorization: `Bearer ${key.secret}`, "content-type": "application/json" },
      body: JSON.stringify({ channel: "senders", eventName: "said", message: "by a program" }),
    });
    expect(response.status).to.equal(200);
    await page.getByRole("button", { name: "Publish" }).click();
    for (const [text, sender] of [
      ["by a connection", String(client.socket.id)],
      ["by a program", `over HTTP, ${key.id}`],
      ["hello", "the server"],
    ] as const) {
      await lines().filter({ hasText: text }).filter({ hasText: sender }).waitFor();
    }
  });

  it("pauses, goes on and clears, and says how many messages it left out", async () => {
    const client = await connect("busy");
    await open("/live/channel?name=busy");
    await tailIsOpen();
    await publish(client, "busy", "first");
    await lines().filter({ hasText: "first" }).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await publish(client, "busy", "second");
    await page.getByRole("button", { name: "Go on (1 new)" }).waitFor();
    expect(await lines().count()).to.equal(1);
    await page.getByRole("button", { name: /Go on/ }).click();
    await lines().filter({ hasText: "second" }).waitFor();
    expect(await lines().first().textContent()).to.include("second");
    await page.getByRole("button", { name: "Clear" }).click();
    await tailIsOpen();
    // The server shows so many of them in a second, and says how many it left out.
    for (let sent = 0; sent < 600; sent += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => publish(client, "busy", sent + index)));
    }
    await publish(client, "busy", "last");
    await lines().filter({ hasText: "messages are not shown" }).first().waitFor();
  });

  it("publishes a test message that a client receives, and says at the field what cannot be published", async () => {
    const client = await connect("tested");
    await open("/live/channel?name=tested");
    await tailIsOpen();
    const eventName = page.getByLabel("Event name");
    const message = page.getByLabel("Message, as JSON");
    const send = () => page.getByRole("button", { name: "Publish" }).click();
    await message.fill('{ "text": ');
    await send();
    await page.getByText("This is not JSON").waitFor();
    expect(await message.getAttribute("aria-invalid")).to.equal("true");
    await message.fill('{ "text": "from the console" }');
    await eventName.fill("connection:ready");
    await send();
    await page.locator("input[aria-invalid=true]").waitFor();
    expect(await eventName.getAttribute("aria-invalid")).to.equal("true");
    await eventName.fill("greeted");
    await eventName.press("Enter");
    const heard = await client.next("greeted");
    expect(toRecord(heard["message"])).to.deep.equal({ text: "from the console" });
    expect(heard["from"]).to.equal(null);
    await page.getByText("Published, number 1 of this channel.").waitFor();
    await lines().filter({ hasText: "from the console" }).waitFor();
    expect(client.pending("connection:closing")).to.deep.equal([]);
  });

  it("shows a refusal as it happens, one click away from its explanation", async () => {
    const narrow = await server.createKey({
      name: "narrow",
      allowRealtime: true,
      channels: [{ pattern: "chat:*", actions: ["join"] }],
    });
    const client = await new SocketClient(server.url, { apiKey: narrow.secret }).ready();
    clients.push(client);
    await open("/live/channel?name=chat:lobby");
    await isLive();
    await client.request("message", { channel: "chat:lobby", eventName: "said", message: HOSTILE });
    const refusal = page.getByRole("listitem").filter({ hasText: "channel_not_allowed" });
    await refusal.getByRole("link", { name: /Why/ }).click();
    const answer = page.getByRole("region", { name: "Answer" });
    await answer.getByRole("heading", { name: "Denied" }).waitFor();
    expect(await answer.locator('[data-check="channel"]').textContent()).to.include(
      '"publish" on chat:lobby',
    );
    expect(await page.getByRole("textbox", { name: "Channel" }).inputValue()).to.equal("chat:lobby");
    // The stream tells of the edit: the answer follows it without being asked.
    await server.patchKey(narrow.id, { channels: null });
    await answer.getByRole("heading", { name: "Allowed" }).waitFor();
  });

  it("counts calls of endpoints, and refused ones", async () => {
    await open("/endpoints");
    const row = page.locator('[data-endpoint="list-orders"]');
    await row.waitFor();
    const call = (secret: string) =>
      fetch(`${server.url}/api/orders`, { headers: { authorization: `Bearer ${secret}` } });
    const barred = await server.createKey({ name: "barred" });
    expect((await call(key.secret)).status).to.equal(200);
    expect((await call(key.secret)).status).to.equal(200);
    expect((await call(barred.secret)).status).to.equal(403);
    await row.getByRole("cell").nth(1).filter({ hasText: /^2$/ }).waitFor();
    await row.getByRole("cell").nth(2).filter({ hasText: /^1$/ }).waitFor();
    await row.getByRole("link", { name: /Explain/ }).click();
    await page.getByRole("combobox", { name: /^Endpoint/ }).waitFor();
    expect(await page.getByRole("combobox", { name: /^Endpoint/ }).inputValue()).to.equal("GET /orders");
  });

  it("says of a name that no channel can have that there is none, and stays live", async () => {
    await open(`/live/channel?name=${encodeURIComponent(" $<b>* ")}`);
    await page.getByText("There can be no channel of this name.").waitFor();
    await isLive();
    expect(await page.locator("main b").count()).to.equal(0);
  });
});
