import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { describeInBrowser } from "../helpers/browser.ts";
import { seriousFaults, whenTrue } from "../helpers/console.ts";
import { SocketClient } from "../helpers/socket-client.ts";
import { journey } from "./journey.ts";

const run = promisify(execFile);

type Box = { x: number; y: number; width: number; height: number };

async function boxOf(element: Locator): Promise<Box> {
  const box = await element.boundingBox();
  if (box === null) throw new Error("it is not on the page");
  return box;
}

function overlap(one: Box, other: Box): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

describeInBrowser("the console in everyday use", () => {
  const endpoints = [{ id: "orders", method: "GET" as const, path: "/orders", handler: () => [] }];
  const site = journey({ config: { endpoints } });

  for (const [screen, width, height] of [
    ["a desk", 1280, 900],
    ["a small window", 900, 500],
    ["a phone", 360, 740],
  ] as const) {
    it(`says that it saved beside the buttons on ${screen}, and stops saying it while the pointer is there`, async () => {
      const { id } = await site.server.createKey({ name: "saved" });
      const { page, visit } = await site.open({ width, height });
      await visit(`/keys/${id}`);
      await page.getByRole("textbox", { name: "Key name" }).fill("saved again");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      const word = page.locator(".word").filter({ hasText: "Saved." });
      const said = await boxOf(word);
      for (const name of ["Save", "Discard"]) {
        const button = await boxOf(page.getByRole("button", { name, exact: true }));
        expect(overlap(said, button), name).to.equal(false);
      }
      await page.getByRole("button", { name: "Close this message" }).waitFor();
      expect(await seriousFaults(page)).to.deep.equal([]);
      await page.mouse.move(said.x + 20, said.y + said.height / 2);
      await word.waitFor({ state: "detached" });
    });
  }

  it("begins the next row with Enter, and makes no key of half a list", async () => {
    const { page, visit } = await site.open();
    await visit("/keys/new");
    await page.getByRole("textbox", { name: "Key name" }).fill("typed with Enter");
    await page.getByRole("tab", { name: "Allowed Domains" }).click();
    await page.getByRole("radio", { name: "Only Authorized Domains" }).click();
    await page.getByRole("button", { name: "+ Add Another One" }).click();
    await page.keyboard.type("a.example.com");
    await page.keyboard.press("Enter");
    await page.keyboard.type("c.example.com");
    await page.getByLabel("Domain 1", { exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.type("b.example.com");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    const values = await page.getByRole("group", { name: "Domain list" }).getByRole("textbox").all();
    const texts = await Promise.all(values.map((one) => one.inputValue()));
    expect(texts).to.deep.equal(["a.example.com", "b.example.com", "", "c.example.com"]);
    expect(new URL(page.url()).pathname).to.equal("/console/keys/new");
    await page.getByRole("tab", { name: "Channels" }).click();
    await page.getByRole("radio", { name: "Only what these rules grant" }).click();
    await page.getByRole("button", { name: "+ Add Another One" }).click();
    await page.keyboard.type("chat:*");
    await page.keyboard.press("Enter");
    expect(await page.getByLabel("Pattern").count()).to.equal(2);
    await page.getByRole("button", { name: "Create the key" }).click();
    await page.getByTestId("secret").waitFor();
  });

  const kinds: Record<string, Record<string, unknown>> = {
    "any page": { allowRealtime: true },
    "its domains": { allowRealtime: true, domains: { mode: "specified", list: ["https://*.example.com"] } },
    "its rules": { allowRealtime: true, channels: [{ pattern: "chat:*", actions: ["publish", "join"] }] },
    "reading alone": {
      allowRealtime: true,
      channels: [{ pattern: "news", actions: ["join", "presence"] }],
    },
    "endpoints alone": { endpoints: { mode: "custom-allowed", list: ["orders"] } },
    "endpoints and domains": {
      endpoints: { mode: "full-access" },
      domains: { mode: "specified", list: ["http://localhost:*"] },
    },
  };
  for (const [what, settings] of Object.entries(kinds)) {
    it(`shows code that works as it is, for a key limited to ${what}`, async () => {
      const { id } = await site.server.createKey({ name: what, ...settings });
      const { page, visit } = await site.open();
      await visit(`/keys/${id}`);
      await page.getByRole("button", { name: `Actions for ${what}` }).click();
      await page.getByRole("menuitem", { name: "Rotate the secret" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
      const dialog = page.getByRole("dialog", { name: "The new secret" });
      await dialog.getByRole("tab", { name: /^Server/ }).click();
      const code = (await dialog.locator(".snippet").textContent()) ?? "";
      await run(process.execPath, ["--input-type=module", "-e", code]);
      await dialog.getByRole("tab", { name: "Script tag" }).click();
      const script = (await dialog.locator(".snippet").textContent()) ?? "";
      expect(script).to.include(settings["allowRealtime"] === true ? "realtime." : "endpoint.get(");
    });
  }

  it("says what to do with a key that may do nothing", async () => {
    const { page, visit } = await site.open();
    await visit("/keys/new");
    await page.getByRole("textbox", { name: "Key name" }).fill("nothing yet");
    await page.getByRole("switch", { name: "Allow realtime" }).click();
    await page.getByRole("button", { name: "Create the key" }).click();
    await page.getByText("This key may do nothing yet").waitFor();
  });

  it("signs out while it is offline, and the server hears of it when it is back", async () => {
    const { page, context, visit } = await site.open();
    await visit("/keys");
    await page.getByRole("heading", { name: "API keys" }).waitFor();
    const session = () =>
      context.request.get(`${site.server.adminUrl}/admin/v1/session`).then((answer) => answer.status());
    expect(await session()).to.equal(200);
    await page.route("**/admin/v1/session", (route) => route.abort());
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    const ended = page.waitForResponse((answer) => answer.request().method() === "DELETE");
    await page.unroute("**/admin/v1/session");
    await ended;
    expect(await session()).to.equal(401);
    await page.getByLabel("Admin token").fill(site.server.adminToken);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "API keys" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "API keys" }).waitFor();
  });

  it("shows the active tab on a phone", async () => {
    const { id } = await site.server.createKey({ name: "phone" });
    const { page, visit } = await site.open({ width: 360, height: 740 });
    await visit(`/keys/${id}/limits`);
    const tab = page.getByRole("tab", { name: "Limits" });
    const inSight = async (): Promise<boolean> => {
      const { x, width } = await boxOf(tab);
      return x >= 0 && x + width <= 360;
    };
    await whenTrue(
      page,
      "document.querySelector('[role=tab][aria-selected=true]')?.getBoundingClientRect().right <= innerWidth",
    );
    expect(await inSight()).to.equal(true);
  });

  it("has one banner, also with a dialog, and links that a finger can hit", async () => {
    const key = await site.server.createKey({ name: "in the live list", allowRealtime: true });
    const client = await new SocketClient(site.server.url, { apiKey: key.secret }).ready();
    const { page, visit } = await site.open();
    try {
      await visit("/live");
      await page.getByRole("link", { name: "in the live list" }).first().waitFor();
      const small: unknown = await page.evaluate(
        "[...document.querySelectorAll('td a')].filter((one) => one.getBoundingClientRect().height < 24).map((one) => one.textContent)",
      );
      expect(small).to.deep.equal([]);
      await visit("/keys");
      await page.getByRole("button", { name: "Actions for in the live list" }).click();
      await page.getByRole("menuitem", { name: "Disable" }).click();
      await page.getByRole("dialog").waitFor();
      expect(await banners(page)).to.equal(1);
      expect(await seriousFaults(page)).to.deep.equal([]);
    } finally {
      client.close();
    }
  });

  it("keeps what has the focus in sight, and at 400 % zoom lets header and bar scroll away", async () => {
    const { id } = await site.server.createKey({ name: "zoomed" });
    const { page, visit } = await site.open({ width: 1280, height: 500 });
    await visit(`/keys/${id}`);
    await page.getByRole("textbox", { name: "Metadata" }).focus();
    for (let step = 0; step < 12; step += 1) {
      await page.keyboard.press("Shift+Tab");
      const isHidden: unknown = await page.evaluate(`(() => {
        const one = document.activeElement;
        if (one === null || one.closest("header, nav") !== null) return false;
        const { top, bottom, left, right } = one.getBoundingClientRect();
        const header = document.querySelector("header").getBoundingClientRect();
        return bottom > 0 && (top + bottom) / 2 < header.bottom && right > 0 && left < innerWidth && bottom - top > 4;
      })()`);
      expect(isHidden, `step ${step}`).to.equal(false);
    }
    await page.setViewportSize({ width: 320, height: 256 });
    const positions: unknown = await page.evaluate(
      "['header', '.bar'].map((name) => getComputedStyle(document.querySelector(name)).position)",
    );
    expect(positions).to.deep.equal(["absolute", "static"]);
  });
});

/** As assistive technology counts them: a header within a dialog is none. */
async function banners(page: Page): Promise<number> {
  return page.locator("header:not([role]), [role=banner]").count();
}
