import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { explainHref } from "../../console/parts/explain-link.ts";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { type ConsolePage, openConsole } from "../helpers/console.ts";
import { importKeys } from "../helpers/many-keys.ts";
import { type CreatedKey, startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const SETTINGS = {
  name: "web frontend",
  allowRealtime: true,
  domains: { mode: "specified", list: ["https://*.example.com"] },
  ips: { mode: "specified", list: ["10.0.0.0/8"] },
  channels: [{ pattern: "chat:*", actions: ["join"] }],
  endpoints: { mode: "custom-allowed", list: ["list-orders"] },
};

describeInBrowser("the console explains refusals", () => {
  let browser: Browser;
  let server: TestServer;
  let key: CreatedKey;
  let operator: ConsolePage;
  let page: Page;

  before(async () => {
    browser = await openBrowser();
    server = await startServer({
      config: {
        endpoints: [
          { id: "list-orders", method: "GET", path: "/orders", handler: () => [] },
          { id: "get-order", method: "GET", path: "/orders/:id", handler: () => [] },
        ],
      },
    });
    await importKeys(server, 300, (index) => ({ name: `imported ${index}` }));
  });
  after(async () => {
    await browser.close();
    await server.close();
  });
  beforeEach(async () => {
    key = await server.createKey(SETTINGS);
  });
  afterEach(async () => {
    expect(operator.offences).to.deep.equal([]);
    await operator.close();
    await server.deleteKey(key.id);
  });

  async function open(path: string): Promise<void> {
    operator = await openConsole(browser, server);
    page = operator.page;
    await operator.visit(path);
  }
  const answer = () => page.getByRole("region", { name: "Answer" });
  const field = (name: string) => page.getByRole("textbox", { name, exact: true });
  const explain = () => page.getByRole("button", { name: "Explain", exact: true }).click();
  const check = (name: string) => answer().locator(`[data-check="${name}"]`);
  const faultOf = async (name: string) => {
    await page.getByText(name, { exact: true }).first().waitFor();
    const input = page.getByRole("textbox", { name: new RegExp(`^${name}`) });
    return (await input.getAttribute("aria-invalid")) === "true";
  };

  it("answers a link from a refusal at once, with the checks in order and what mends the first that failed", async () => {
    const client = new SocketClient(
      server.url,
      { apiKey: key.secret },
      { extraHeaders: { origin: "https://evil.test" } },
    );
    const refusal = await client.refusal();
    client.close();
    const { code } = refusal;
    await open(
      explainHref({
        keyId: key.id,
        action: "connect",
        origin: "https://evil.test",
        address: "10.1.1.1",
        code: String(code),
      }),
    );
    await answer().getByRole("heading", { name: "Denied" }).waitFor();
    expect(await answer().textContent()).to.include(`${code} · 403`);
    const order = await answer()
      .locator("[data-check]")
      .evaluateAll((rows) => rows.map((row) => row.dataset["check"]));
    expect(order).to.deep.equal(["key", "enabled", "expiry", "realtime", "domain", "ip"]);
    expect(await check("domain").textContent())
      .to.include("failed")
      .and.include("decides")
      .and.include("Add https://evil.test to this key's authorized domains");
    expect(await check("ip").textContent()).to.include("passed");
    expect(await field("Origin").inputValue()).to.equal("https://evil.test");
    expect(await field("Address").inputValue()).to.equal("10.1.1.1");

    await server.patchKey(key.id, { domains: { mode: "all" } });
    await explain();
    await answer().getByRole("heading", { name: "Allowed" }).waitFor();
    expect(await answer().textContent()).to.include(`It was refused with ${code}`);
  });

  it("is filled in and asked with the keyboard alone, and the address of the page asks it again", async () => {
    await open("/explain");
    // A list that opens looks for its place in a timer: keys before that are counted from elsewhere.
    const marked = page.locator("[role=option][data-combobox-selected]");
    const take = async (name: string): Promise<void> => {
      await page.getByRole("option", { name }).waitFor();
      await page.evaluate("new Promise((resolve) => setTimeout(resolve))");
      for (
        let presses = 0;
        presses < 10 && !(await marked.filter({ hasText: name }).isVisible());
        presses += 1
      ) {
        await page.keyboard.press("ArrowDown");
      }
      await page.keyboard.press("Enter");
      await page.getByRole("option").first().waitFor({ state: "hidden" });
    };
    const tabInto = async (label: string): Promise<void> => {
      await page.keyboard.press("Tab");
      await page
        .locator(":focus")
        .and(page.getByLabel(label, { exact: true }))
        .waitFor();
    };
    await page.getByRole("combobox", { name: "Key" }).focus();
    await page.keyboard.type("web front");
    await take("web frontend");
    await tabInto("Action");
    await page.keyboard.press("Enter");
    await take("Publish to a channel");
    for (const [label, text] of [
      ["Channel", "chat:lobby"],
      ["Origin", "https://a.example.com"],
      ["Address", "10.2.3.4"],
    ] as const) {
      await tabInto(label);
      await page.keyboard.type(text);
    }
    await page.keyboard.press("Enter");
    await answer().getByRole("heading", { name: "Denied" }).waitFor();
    expect(await check("channel").textContent()).to.include("decides");

    const url = new URL(page.url());
    expect(Object.fromEntries(url.searchParams)).to.deep.equal({
      keyId: key.id,
      action: "publish",
      origin: "https://a.example.com",
      address: "10.2.3.4",
      channel: "chat:lobby",
    });
    await page.goto(url.href);
    await answer().getByRole("heading", { name: "Denied" }).waitFor();
    expect(await field("Channel").inputValue()).to.equal("chat:lobby");

    await field("Channel").fill("news:1");
    expect(await answer().textContent()).to.include("before your changes");
    await explain();
    await check("channel").getByText("news:1").first().waitFor();
    await page.goBack();
    await check("channel").getByText("chat:lobby").first().waitFor();
    expect(await field("Channel").inputValue()).to.equal("chat:lobby");
  });

  it("explains endpoints by what is declared, and says at the field what is not", async () => {
    await open(
      explainHref({
        keyId: key.id,
        action: "endpoint",
        address: "10.0.0.1",
        origin: "https://a.example.com",
      }),
    );
    const endpoint = page.getByRole("combobox", { name: /^Endpoint/ });
    await endpoint.click();
    await page.getByRole("option", { name: /GET \/orders\/:id/ }).click();
    await explain();
    await check("endpoint")
      .getByText(/Add GET \/orders\/:id/)
      .waitFor();
    await endpoint.fill("GET /nowhere");
    await explain();
    await page.getByText('no declared endpoint is "GET /nowhere"').waitFor();
    expect(await endpoint.getAttribute("aria-invalid")).to.equal("true");
    await endpoint.fill("GET /orders");
    await explain();
    await answer().getByRole("heading", { name: "Allowed" }).waitFor();
  });

  it("shows the faults of unsaved settings at their field, and explains them once they are right", async () => {
    await open(
      explainHref({ settings: { name: "draft", domains: { mode: "specified", list: ["https://*"] } } }),
    );
    await page.getByText(/\/domains\/list\/0/).waitFor();
    expect(await faultOf("Settings")).to.equal(true);
    await field("Settings").fill("{ not json");
    await explain();
    await page.getByText(/This is not JSON/).waitFor();
    await field("Settings").fill(JSON.stringify({ name: "draft", allowRealtime: true }));
    await field("Address").fill("203.0.113.9");
    await explain();
    await answer().getByRole("heading", { name: "Allowed" }).waitFor();
    await page.reload();
    await answer().getByRole("heading", { name: "Allowed" }).waitFor();
    expect(await field("Settings").inputValue()).to.include('"allowRealtime":true');
  });

  it("hands over settings that are too long for a link within the tab", async () => {
    await open("/explain");
    const list = Array.from({ length: 2_000 }, (_, index) => `https://host-${index}.example.com`);
    const href = explainHref({
      settings: { name: "long", domains: { mode: "specified", list } },
      action: "connect",
    });
    expect(href.length).to.be.below(4_500);
    const text = JSON.stringify({ name: "long", allowRealtime: true, domains: { mode: "specified", list } });
    await page.getByText("Unsaved settings").click();
    await field("Settings").fill(text);
    await field("Origin").fill("https://host-1999.example.com");
    await field("Address").fill("10.0.0.1");
    await explain();
    await answer().getByRole("heading", { name: "Allowed" }).waitFor();
    expect(page.url().length).to.be.below(4_500);
    expect(await answer().getByRole("button", { name: "Copy a link" }).count()).to.equal(0);
  });

  it("keeps secrets out of every address", async () => {
    const urls: string[] = [];
    await open("/explain");
    page.on("request", (request) => urls.push(request.url()));
    await page.getByRole("combobox", { name: "Key" }).fill(key.secret);
    await page.getByText("This is a secret: it is not searched for").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("A secret", { exact: true }).click();
    await page.getByLabel("Secret", { exact: true }).fill(key.secret);
    await field("Origin").fill(`https://a.example.com/${key.secret}`);
    await explain();
    await answer().getByRole("heading", { name: "Denied" }).waitFor();
    expect(await check("key").textContent()).to.include(key.id);
    urls.push(page.url());
    expect(urls.filter((url) => url.includes(key.secret))).to.deep.equal([]);
    const link = explainHref({
      keyId: key.secret,
      channel: key.secret,
      settings: { metadata: { key: key.secret } },
    });
    expect(decodeURIComponent(link)).to.not.include(key.secret);
  });

  it("shows hostile text as text", async () => {
    const hostile = '<img src=x onerror="window.isHacked=true">\u202egnp.exe\u2066';
    await open(
      explainHref({
        keyId: key.id,
        action: "join",
        channel: hostile,
        origin: hostile,
        address: hostile,
        code: hostile,
      }),
    );
    await page
      .getByText(/no channel's name|Denied/)
      .first()
      .waitFor();
    await field("Channel").fill("chat:<b>\u202ex");
    await explain();
    await answer().getByRole("heading", { name: "Denied" }).waitFor();
    expect(await answer().textContent()).to.not.match(/[\u202e\u2066]/);
    expect(await page.locator("main img, main b").count()).to.equal(0);
    expect(await page.evaluate(() => "isHacked" in window)).to.equal(false);
  });
});
