import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { type ConsolePage, openConsole } from "../helpers/console.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const run = promisify(execFile);

describeInBrowser("a new secret in the console", () => {
  let server: TestServer;
  let browser: Browser;
  let console: ConsolePage;
  let secret: string;
  let listener: SocketClient;
  before(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    const heard = await server.createKey({ name: "listener", allowRealtime: true });
    listener = await new SocketClient(server.url, { apiKey: heard.secret }).ready();
    await listener.request("join", { channel: "lobby" });
    console = await openConsole(browser, server);
    await console.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await console.visit("/keys/new");
    await console.page.getByRole("textbox", { name: "Key name" }).fill("with snippets");
    await console.page.getByRole("button", { name: "Create the key" }).click();
    secret = (await console.page.getByTestId("secret").textContent()) ?? "";
  });
  after(async () => {
    expect(console.offences).to.deep.equal([]);
    listener.close();
    await browser.close();
    await server.close();
  });

  const clipboard = (): Promise<string> => console.page.evaluate("navigator.clipboard.readText()");
  const snippet = async (name: string): Promise<string> => {
    const { page } = console;
    await page.getByRole("tab", { name }).click();
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    await page.getByRole("tabpanel").getByRole("button", { name: "Copied" }).waitFor();
    const text = await clipboard();
    expect(text).to.include(secret).and.to.include(server.url);
    return text;
  };
  const heard = async (text: string): Promise<void> => {
    await listener.next("say", (payload) => JSON.stringify(payload).includes(`"text":"${text}"`));
  };

  it("is copied by its button", async () => {
    await console.page.getByRole("button", { name: "Copy the secret" }).click();
    await console.page.getByRole("button", { name: "Copied" }).first().waitFor();
    expect(await clipboard()).to.equal(secret);
  });

  it("comes with a curl that publishes", async () => {
    await run("bash", ["-c", `${await snippet("curl")} --fail --silent --max-time 5`]);
    await heard("hi");
  });

  it("comes with a program that publishes from a server", async () => {
    await run(process.execPath, ["--input-type=module", "--eval", await snippet("Server publish")], {
      timeout: 30_000,
    });
    await heard("hi");
  });

  it("comes with a program for Node", async () => {
    const text = `${await snippet("npm")}\nprocess.exit();`;
    await run(process.execPath, ["--input-type=module", "--eval", text], { timeout: 30_000 });
    await heard("hello");
  });

  it("comes with a script tag that works in a page of somebody else", async () => {
    const html = `<!doctype html><body>${await snippet("Script tag")}</body>`;
    const site = createServer((_request, response) =>
      response.setHeader("content-type", "text/html").end(html),
    );
    await new Promise<void>((resolve) => site.listen(0, "localhost", resolve));
    const page = await browser.newPage();
    try {
      await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
      await heard("hello");
    } finally {
      await page.close();
      site.closeAllConnections();
      site.close();
    }
  });

  it("is nowhere on the page once it is stored", async () => {
    const { page } = console;
    await page.keyboard.press("Escape");
    await page.getByTestId("secret").waitFor();
    await page.getByRole("button", { name: "I have stored it" }).click();
    await page.getByTestId("secret").waitFor({ state: "detached" });
    expect(await page.content()).to.not.include(secret);
    await page.reload();
    await page.getByRole("heading", { name: "with snippets" }).waitFor();
    expect(await page.content()).to.not.include(secret);
  });
});
