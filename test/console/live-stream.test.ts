import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { type ConsolePage, openConsole } from "../helpers/console.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

/** Streams that a server serves at the same time. */
const STREAMS_MAX = 64;

describeInBrowser("the live stream of a console page", () => {
  let browser: Browser;
  let server: TestServer;
  let operator: ConsolePage;
  let page: Page;

  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser.close());
  beforeEach(async () => {
    server = await startServer();
    operator = await openConsole(browser, server);
    page = operator.page;
  });
  afterEach(async () => {
    await operator.close();
    await server.close();
  });

  const isLive = () => page.getByRole("status").getByText("Live", { exact: true }).waitFor();
  const signInAgain = async () => {
    const dialog = page.getByRole("dialog", { name: "Your session ended" });
    await dialog.getByLabel("Admin token").fill(server.adminToken);
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.waitFor({ state: "hidden" });
  };
  const connections = (count: number) =>
    page.locator('[data-figure="Connections"] [data-value]').filter({ hasText: new RegExp(`^${count}$`) });
  const connect = async (channel: string): Promise<SocketClient> => {
    const key = await server.createKey({ name: "web frontend", allowRealtime: true });
    const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    await client.request("join", { channel });
    return client;
  };

  it("says that the server is away while it restarts, and comes back with what is then", async () => {
    await operator.visit("/live/channel?name=lobby");
    await isLive();
    await page.getByLabel("Event name").fill("typed before the restart");
    const { adminPort, port } = {
      adminPort: Number(new URL(server.adminUrl).port),
      port: server.port,
    };
    await server.close();
    await page.getByText("This page comes back by itself", { exact: false }).waitFor();
    server = await startServer({ config: { port, adminPort } });
    // Sessions do not outlive the process that opened them.
    await signInAgain();
    await isLive();
    await page.getByText("This page comes back by itself", { exact: false }).waitFor({ state: "detached" });
    await page.getByText("The connection was away", { exact: false }).waitFor();
    expect(await page.getByLabel("Event name").inputValue()).to.equal("typed before the restart");
    const client = await connect("lobby");
    await client.request("message", { channel: "lobby", eventName: "said", message: "after the restart" });
    await page.getByTestId("tail").getByText("after the restart").waitFor();
    client.close();
  });

  it("says that too many pages are watching, and watches as soon as one goes", async () => {
    const going = new AbortController();
    await Promise.all(
      Array.from({ length: STREAMS_MAX }, async () => {
        const answer = await fetch(`${server.adminUrl}/admin/v1/live`, {
          headers: { authorization: `Bearer ${server.adminToken}` },
          signal: going.signal,
        });
        expect(answer.status).to.equal(200);
      }),
    );
    await operator.visit("/live");
    await page.getByText("Too many pages are watching").waitFor();
    going.abort();
    await isLive();
    await page.getByText("Too many pages are watching").waitFor({ state: "detached" });
    await connections(0).waitFor();
  });

  it("asks to sign in when the session ends, and goes on where it was", async () => {
    await operator.visit("/live");
    await isLive();
    const ended = await page.evaluate(
      async () => (await fetch("/admin/v1/session", { method: "DELETE" })).status,
    );
    expect(ended).to.equal(204);
    await signInAgain();
    await isLive();
    const client = await connect("lobby");
    await connections(1).waitFor();
    client.close();
  });

  it("gives the stream back while nobody looks, and has it again at the first look", async () => {
    await page.clock.install();
    await operator.visit("/live");
    await isLive();
    const isEnded = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/admin/v1/live"));
    const look = (isHidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await look(true);
    await page.clock.fastForward(30_000);
    await isEnded;
    const client = await connect("lobby");
    const isAgain = page.waitForRequest((request) => request.url().endsWith("/admin/v1/live"));
    await look(false);
    await isAgain;
    await connections(1).waitFor();
    client.close();
  });
});
