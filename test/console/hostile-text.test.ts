import { expect } from "chai";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../helpers/browser.ts";
import type { ConsolePage } from "../helpers/console.ts";
import { SocketClient } from "../helpers/socket-client.ts";
import { journey } from "./journey.ts";

const HOSTILE = [
  `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>{{constructor.constructor('window.hacked=1')()}}`,
  "javascript:window.hacked=1//\u202egnp.exe\u0000\ud83d\ude08 ' OR 1=1 --",
  `__proto__[hacked]=1&${"A".repeat(600)}`,
];

describeInBrowser("hostile text in the console", () => {
  let console: ConsolePage;
  afterEach(async () => {
    expect(await console.page.evaluate("[window.hacked, ({}).hacked]")).to.deep.equal([undefined, undefined]);
  });
  const site = journey();
  beforeEach(async () => {
    console = await site.open();
  });

  async function fillAll(page: Page, text: string): Promise<number> {
    const fields = page
      .locator("input:is(:not([type]), [type=text], [type=password]):not([readonly]), textarea")
      .filter({ visible: true });
    const count = await fields.count();
    for (let i = 0; i < count; i += 1) await fields.nth(i).fill(text);
    return count;
  }

  it("from everybody outside is shown as text on every page that shows it", async () => {
    const { page, visit } = console;
    const name = `<img src=x onerror="window.hacked=1">`;
    const { id, secret } = await site.server.createKey({
      name,
      allowRealtime: true,
      metadata: { note: name },
      channels: [{ pattern: "**", actions: ["join", "publish", "presence", "history"] }],
    });
    const channel = `<svg onload="window.hacked=1">`;
    const extraHeaders = { origin: `https://"><img src=x onerror=window.hacked=1>` };
    const client = await new SocketClient(site.server.url, { apiKey: secret }, { extraHeaders }).ready();
    await client.request("join", { channel });
    await client.request("update", { data: { name } });
    const limited = await site.server.createKey({
      name: "limited",
      allowRealtime: true,
      domains: { mode: "specified", list: ["https://a.example"] },
    });
    await new SocketClient(site.server.url, { apiKey: limited.secret }, { extraHeaders }).refusal();
    try {
      await visit("/keys");
      await page.getByRole("link", { name }).waitFor();
      await visit(`/keys/${id}`);
      await page.getByRole("heading", { name }).waitFor();
      await visit("/live");
      await page.getByRole("link", { name: channel }).click();
      await page.getByRole("heading", { name: channel }).waitFor();
      await page.getByText(`says ${JSON.stringify({ name })}`).waitFor();
      await page.locator(".dot[data-tone=good]").waitFor();
      await client.request("message", { channel, eventName: "<b>say</b>", message: name });
      await page.getByTestId("tail").getByText(JSON.stringify(name)).waitFor();
      await visit("/refusals");
      await page.locator("[data-code=domain_not_authorized]").getByRole("link", { name: "Why?" }).click();
      await page.getByRole("region", { name: "Answer" }).waitFor();
      await visit("/audit");
      await page.getByText("Key created").first().waitFor();
    } finally {
      client.close();
    }
  });

  for (const text of HOSTILE) {
    it(`is text in every field: ${JSON.stringify(text.slice(0, 24))}`, async () => {
      const { page, visit } = console;
      const { id } = await site.server.createKey({
        name: "hostile",
        limits: [{ name: "burst", limit: 5, windowSeconds: 1 }],
        endpoints: { mode: "custom-allowed", list: ["x"] },
        domains: { mode: "specified", list: ["https://a.example"] },
        ips: { mode: "specified", list: ["10.0.0.1"] },
        channels: [{ pattern: "a", actions: ["join"] }],
      });
      await visit("/keys");
      await page.getByLabel("Search").fill(text);
      await page.getByText(/^[\d,]+ keys?$/).waitFor();
      for (const tab of ["general", "domains", "ips", "channels", "limits"]) {
        await visit(`/keys/${id}/${tab}`);
        await page.getByRole("tabpanel").waitFor();
        expect(await fillAll(page, text)).to.be.at.least(1);
        await page.getByRole("button", { name: "Save", exact: true }).click();
        // Refused at its field, or saved as the text that it is.
        await page
          .locator("[aria-invalid=true]")
          .first()
          .or(page.getByText("Saved.").first())
          .or(page.getByText("expects", { exact: false }))
          .first()
          .waitFor();
        await page.evaluate("window.onbeforeunload = null");
        const discard = page.getByRole("button", { name: "Discard" });
        if (await discard.isEnabled()) await discard.click();
      }
      await visit("/explain");
      await page.getByRole("button", { name: "Explain", exact: true }).waitFor();
      expect(await fillAll(page, text)).to.be.at.least(1);
      await visit(`/explain?origin=${encodeURIComponent(text)}&channel=${encodeURIComponent(text)}`);
      await visit(`/live/channel?name=${encodeURIComponent(text.slice(0, 150))}`);
      await page.getByRole("button", { name: "Publish" }).waitFor();
      await fillAll(page, text);
      await page.getByRole("button", { name: "Publish" }).click();
      await page.locator("[aria-invalid=true]").first().waitFor();
      await visit("/live");
      await fillAll(page, text);
    });
  }
});
