import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { type ConsolePage, openConsole, seriousFaults } from "../helpers/console.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describeInBrowser("everybody can use the console", () => {
  let server: TestServer;
  let browser: Browser;
  let client: SocketClient;
  let id: string;
  before(async () => {
    const endpoints = [{ id: "list-orders", method: "GET" as const, path: "/orders", handler: () => [] }];
    [server, browser] = await Promise.all([startServer({ config: { endpoints } }), openBrowser()]);
    const key = await server.createKey({
      name: "web frontend",
      allowRealtime: true,
      endpoints: { mode: "custom-allowed", list: ["list-orders"] },
      domains: { mode: "specified", list: ["https://app.example.com", "https://*.example.com"] },
      channels: [{ pattern: "**", actions: ["join", "publish", "presence"] }],
    });
    id = key.id;
    const extraHeaders = { origin: "https://app.example.com" };
    client = await new SocketClient(server.url, { apiKey: key.secret }, { extraHeaders }).ready();
    await client.request("join", { channel: "lobby" });
    await new SocketClient(server.url, { apiKey: key.secret }).refusal();
    await server.patchKey(id, { metadata: { team: "web" } });
    const states = [{ enabled: false }, { expiresAt: "2020-01-01T00:00:00Z" }];
    for (const [index, settings] of states.entries())
      await server.createKey({ name: `key ${index}`, ...settings });
  });
  after(async () => {
    client.close();
    await browser.close();
    await server.close();
  });

  type Place = { name: string; path: string; ready: (page: Page) => Promise<unknown> };
  const heading = (name: string | RegExp) => (page: Page) =>
    page.getByRole("heading", { name, level: 1 }).waitFor();
  const panel = (page: Page) => page.getByRole("tabpanel").waitFor();
  const places = (): Place[] => [
    {
      name: "keys",
      path: "/keys",
      ready: (page) => page.getByRole("link", { name: "web frontend" }).waitFor(),
    },
    { name: "new key", path: "/keys/new", ready: panel },
    ...["general", "domains", "ips", "channels", "limits", "activity"].map((tab) => ({
      name: `key, ${tab}`,
      path: `/keys/${id}/${tab}`,
      ready: async (page: Page) => {
        await panel(page);
        await page.locator("button:enabled", { hasText: "Undo the last edit" }).waitFor();
      },
    })),
    {
      name: "live",
      path: "/live",
      ready: (page) => page.getByText("1 connection", { exact: true }).waitFor(),
    },
    {
      name: "channels",
      path: "/live?view=channels",
      ready: (page) => page.getByRole("link", { name: "lobby" }).waitFor(),
    },
    {
      name: "channel",
      path: "/live/channel?name=lobby",
      ready: (page) => page.getByText("Members (1)").waitFor(),
    },
    { name: "endpoints", path: "/endpoints", ready: (page) => page.getByText("GET /orders").waitFor() },
    {
      name: "refusals",
      path: "/refusals",
      ready: (page) => page.getByRole("link", { name: /Why\?/ }).first().waitFor(),
    },
    {
      name: "explanation",
      path: `/explain?keyId=${id}&action=join&channel=lobby`,
      ready: (page) => page.getByRole("region", { name: "Answer" }).waitFor(),
    },
    { name: "audit", path: "/audit", ready: (page) => page.getByText("Key created").first().waitFor() },
    { name: "settings", path: "/settings", ready: (page) => page.getByText("endpointPrefix").waitFor() },
    { name: "an unknown page", path: "/nowhere", ready: heading("There is no such page") },
  ];

  for (const [scheme, width] of [
    ["light", 1280],
    ["dark", 390],
  ] as const) {
    it(`axe finds nothing serious on any page: ${scheme}, ${width} wide`, async () => {
      const { page, visit, offences, close } = await openConsole(browser, server, { scheme, width });
      const faults: string[] = [];
      const look = async (name: string): Promise<void> => {
        for (const fault of await seriousFaults(page)) faults.push(`${name}: ${fault}`);
      };
      for (const { name, path, ready } of places()) {
        await visit(path);
        await ready(page);
        await look(name);
        const overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
        if (Number(overflow) > 0) faults.push(`${name}: ${overflow} px wider than the window`);
      }
      expect(faults).to.deep.equal([]);
      expect(offences).to.deep.equal([]);
      await close();
    });

    it(`axe finds nothing serious in any dialog: ${scheme}, ${width} wide`, async () => {
      const { page, visit, close } = await openConsole(browser, server, { scheme, width });
      const faults: string[] = [];
      const look = async (name: string): Promise<void> => {
        await page.getByRole("dialog").first().waitFor();
        for (const fault of await seriousFaults(page)) faults.push(`${name}: ${fault}`);
      };
      for (const item of ["Duplicate", "Rotate the secret", "Disable", "Delete"]) {
        await visit("/keys");
        await page.getByRole("button", { name: "Actions for web frontend" }).click();
        await page.getByRole("menuitem", { name: item }).click();
        await look(item);
      }
      await visit(`/keys/${id}`);
      await page.getByRole("button", { name: "Why was it denied?" }).click();
      await look("why");
      await visit(`/keys/${id}`);
      await page.getByRole("switch", { name: "Allow realtime" }).click();
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await look("preview");
      await page.getByRole("button", { name: "Keep editing" }).click();
      if (width < 576) await page.getByRole("button", { name: "Open the menu" }).click();
      await page.getByRole("link", { name: "Audit" }).click();
      await look("leave");
      await page.getByRole("button", { name: "Leave" }).click();
      await visit("/keys/new");
      await page.getByRole("textbox", { name: "Key name" }).fill("x");
      await page.getByRole("button", { name: "Create the key" }).click();
      await page.locator("[aria-invalid=true]").waitFor();
      for (const fault of await seriousFaults(page)) faults.push(`faults: ${fault}`);
      await page.getByRole("textbox", { name: "Key name" }).fill(`made ${scheme} ${width}`);
      await page.getByRole("button", { name: "Create the key" }).click();
      await page.getByRole("button", { name: "Copy", exact: true }).waitFor();
      await look("secret");
      expect(faults).to.deep.equal([]);
      await close();
    });
  }

  it("axe finds nothing serious on the sign-in page", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const { page, visit, close } = await openConsole(browser, server, { scheme, signedIn: false });
      await visit("");
      await page.getByLabel("Admin token").fill("wrong");
      await page.getByLabel("Admin token").press("Enter");
      await page.getByText("This is not the admin token").waitFor();
      expect(await seriousFaults(page)).to.deep.equal([]);
      await close();
    }
  });

  describe("by keyboard alone", () => {
    let console: ConsolePage;
    afterEach(async () => {
      expect(console.offences).to.deep.equal([]);
      await console.close();
    });

    /** Press Tab until this has the focus, as somebody without a mouse does. */
    async function tabTo(role: "button" | "link" | "textbox" | "tab" | "radio", name: string): Promise<void> {
      const { page } = console;
      const target = page.getByRole(role, { name, exact: true });
      await target.first().waitFor();
      for (let presses = 0; presses < 60; presses += 1) {
        const isThere = await target.evaluateAll((all) =>
          all.includes(document.activeElement as HTMLElement),
        );
        if (isThere) return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`Tab does not reach the ${role} "${name}"`);
    }

    it("one signs in, makes a key, limits it, and deletes it", async () => {
      console = await openConsole(browser, server, { signedIn: false });
      const { page, visit } = console;
      const { keyboard } = page;
      await visit("");
      await page.getByLabel("Admin token").waitFor();
      await tabTo("textbox", "Admin token").catch(() => page.getByLabel("Admin token").focus());
      await keyboard.type(server.adminToken);
      await keyboard.press("Enter");
      await tabTo("link", "New key");
      await keyboard.press("Enter");
      await tabTo("textbox", "Key name");
      await keyboard.type("by keyboard");
      await keyboard.press("Control+s");
      await page.getByRole("dialog", { name: "Your key is ready" }).locator(":focus").waitFor();
      await tabTo("button", "I have stored it");
      await keyboard.press("Enter");
      await page.getByTestId("secret").waitFor({ state: "detached" });
      await tabTo("tab", "General");
      await keyboard.press("ArrowRight");
      await page.getByRole("radio", { name: "All Domains" }).waitFor();
      await tabTo("radio", "All Domains");
      await keyboard.press("ArrowDown");
      await tabTo("button", "+ Add Another One");
      await keyboard.press("Enter");
      await page.locator("[aria-label='Domain 1']:focus").waitFor();
      await keyboard.type("https://app.example.com");
      await keyboard.press("Control+s");
      await page.getByText("Saved.").waitFor();
      await tabTo("button", "Actions for by keyboard");
      await keyboard.press("Enter");
      await page.locator("[role=menu]:focus-within").waitFor();
      const isChosen = () =>
        page.getByRole("menuitem", { name: "Delete" }).evaluate((one) => one === document.activeElement);
      for (let presses = 0; presses < 10 && !(await isChosen()); presses += 1)
        await keyboard.press("ArrowDown");
      await keyboard.press("Enter");
      await page.getByRole("dialog", { name: "Delete this key" }).locator(":focus").waitFor();
      await tabTo("button", "Delete");
      await keyboard.press("Enter");
      await page.getByRole("heading", { name: "API keys" }).waitFor();
      const { body } = await server.admin("/keys?search=by%20keyboard");
      expect(body["total"]).to.equal(0);
    });

    it("one skips the menu, and lands in what is new", async () => {
      console = await openConsole(browser, server);
      const { page, visit } = console;
      await visit("/keys");
      await page.getByRole("link", { name: "web frontend" }).waitFor();
      await tabTo("link", "Skip to the content");
      await tabTo("link", "Audit");
      await page.keyboard.press("Enter");
      await page.locator("h1:focus").filter({ hasText: "Audit" }).waitFor();
    });
  });
});
