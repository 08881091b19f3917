import { expect } from "chai";
import type { Browser, Locator, Page } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

describeInBrowser("development page", () => {
  let browser: Browser;
  let server: TestServer;
  let page: Page;
  let key: { id: string; secret: string };
  /** What the page complains about: scripts that throw, and what its content policy blocks. */
  let complaints: string[];

  before(async () => {
    browser = await openBrowser();
  });

  after(async () => {
    await browser.close();
  });

  beforeEach(async () => {
    server = await startServer({ dev: true });
    key = await server.createKey({ allowRealtime: true });
    page = await browser.newPage();
    complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
  });

  afterEach(async () => {
    await page.close();
    await server.close();
  });

  const pane = (name: "a" | "b") => page.getByTestId(`pane-${name}`);

  async function openPage(): Promise<void> {
    await page.goto(`${server.url}/#${key.secret}`);
    for (const each of [pane("a"), pane("b")]) await waitForText(each.getByTestId("state"), "connected");
    for (const each of [pane("a"), pane("b")]) {
      await waitForText(each.getByTestId("members"), "Ada");
      await waitForText(each.getByTestId("members"), "Ben");
    }
  }

  async function say(from: Locator, text: string): Promise<void> {
    await from.getByTestId("message-input").fill(text);
    await from.getByTestId("send").click();
  }

  it("exchanges messages between its panes, as text", async () => {
    await openPage();
    await say(pane("a"), "hello from the left");
    await waitForText(pane("b").getByTestId("messages"), "hello from the left");
    await say(pane("b"), "<img src=x onerror=alert(1)>");
    await waitForText(pane("a").getByTestId("messages"), "<img src=x onerror=alert(1)>");
    expect(await pane("a").locator("img").count()).to.equal(0);
    expect(complaints).to.deep.equal([]);
  });

  it("says in both panes why they were closed, and connects again on request", async () => {
    await openPage();
    await server.patchKey(key.id, { allowRealtime: false });
    for (const each of [pane("a"), pane("b")]) {
      await waitForText(each.getByTestId("closing-reason"), "Closed: realtime_not_allowed");
      await waitForText(each.getByTestId("state"), "closed");
    }
    await pane("a").getByTestId("reconnect").click();
    await waitForText(pane("a").getByTestId("closing-reason"), "Refused: realtime_not_allowed");

    await server.patchKey(key.id, { allowRealtime: true });
    for (const each of [pane("a"), pane("b")]) {
      await each.getByTestId("reconnect").click();
      await waitForText(each.getByTestId("state"), "connected");
    }
    await say(pane("b"), "back again");
    await waitForText(pane("a").getByTestId("messages"), "back again");
    expect(await pane("a").getByTestId("closing-reason").isVisible()).to.equal(false);
  });

  it("says why when the key is revoked", async () => {
    await openPage();
    await server.deleteKey(key.id);
    await waitForText(pane("a").getByTestId("closing-reason"), "invalid_api_key");
    await waitForText(pane("b").getByTestId("closing-reason"), "invalid_api_key");
  });

  it("moves both panes to another channel", async () => {
    await openPage();
    await page.getByRole("textbox", { name: "Channel" }).fill("other");
    await page.getByRole("button", { name: "Change" }).click();
    await waitForText(pane("a").getByTestId("members"), "Ben");
    await waitForText(pane("b").getByTestId("members"), "Ada");
    await say(pane("a"), "over here");
    await waitForText(pane("b").getByTestId("messages"), "over here");
    const answer = await fetch(`${server.url}/channels/members?channel=lobby`, {
      headers: { authorization: `Bearer ${key.secret}` },
    });
    expect(await answer.json()).to.include({ count: 0 });
  });

  it("shows a renamed member to the others", async () => {
    await openPage();
    await pane("a").getByTestId("name").fill("Grace");
    await pane("a").getByTestId("name").press("Enter");
    await waitForText(pane("b").getByTestId("members"), "Grace");
  });

  it("asks for a key when there is none, and never sends one in a URL", async () => {
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    page.on("websocket", (socket) => urls.push(socket.url()));
    await page.goto(server.url);
    expect(await pane("a").count()).to.equal(0);
    await page.getByRole("textbox", { name: "API key" }).fill(key.secret);
    await page.getByRole("button", { name: "Use this key" }).click();
    await waitForText(pane("a").getByTestId("state"), "connected");
    expect(urls.map((url) => url.replace(/#.*/, "")).join("\n")).not.to.contain(key.secret);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`fits a phone without scrolling sideways, in ${colorScheme}`, async () => {
      await page.setViewportSize({ width: 360, height: 740 });
      await page.emulateMedia({ colorScheme });
      await openPage();
      await say(pane("a"), "longword".repeat(40));
      await waitForText(pane("b").getByTestId("messages"), "longword");
      const { scrollWidth, clientWidth } = await page.evaluate(() => ({
        scrollWidth: document.documentElement.scrollWidth,
        clientWidth: document.documentElement.clientWidth,
      }));
      expect(scrollWidth).to.equal(clientWidth);
      const [first, second] = [await pane("a").boundingBox(), await pane("b").boundingBox()];
      expect(second?.y).to.be.greaterThan((first?.y ?? 0) + (first?.height ?? 0));
    });
  }
});

async function waitForText(locator: Locator, text: string): Promise<void> {
  await locator.filter({ hasText: text }).first().waitFor();
}
