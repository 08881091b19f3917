import { expect } from "chai";
import { Crowd } from "../../bench/crowd/crowd.ts";
import { describeInBrowser, openBrowser } from "../helpers/browser.ts";
import { openConsole } from "../helpers/console.ts";
import { startServer } from "../helpers/server.ts";

const CONNECTIONS = 5_000;

describeInBrowser("the console beside a crowd", () => {
  it("shows five thousand live connections while they talk, and what an edit would close", async function () {
    this.timeout(90_000);
    const server = await startServer();
    const crowd = new Crowd();
    const browser = await openBrowser();
    try {
      const { page, visit, offences } = await openConsole(browser, server);
      const { id, secret } = await server.createKey({ name: "crowd", allowRealtime: true });
      await visit("/live");
      const connections = page.locator('[data-figure="Connections"] [data-value]');
      await connections.filter({ hasText: /^0$/ }).waitFor();
      await crowd.open({
        group: "all",
        count: CONNECTIONS,
        port: server.port,
        apiKey: secret,
        channels: Array.from({ length: 50 }, (_, index) => `room:${index}`),
        localAddresses: Array.from({ length: 20 }, (_, index) => `127.0.1.${index + 1}`),
      });
      await crowd.flow("all", 20);
      await connections.filter({ hasText: "5,000" }).waitFor({ timeout: 15_000 });
      await page.getByText("5,000 connections").waitFor();
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByText(/^51 to 100 of 5,000$/).waitFor();
      await page.getByLabel("Address or range").fill("127.0.1.7");
      await page.getByText("250 connections").waitFor();
      await page.getByRole("tab", { name: "Channels" }).click();
      await page.getByText("50 channels").waitFor();
      await visit(`/keys/${id}/ips`);
      await page.getByRole("radio", { name: "Only Authorized IPs" }).click();
      await page.getByRole("button", { name: "+ Add Another One" }).click();
      await page.keyboard.type("127.0.1.0/28");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      // 127.0.1.1 to 127.0.1.15 stay.
      await page.getByText("This will close 1,250 of 5,000 connections.").waitFor();
      await page.getByRole("button", { name: "Save and close 1,250" }).click();
      await page.getByText("Saved.").waitFor();
      expect(await crowd.gone("all", 1_250, 10_000)).to.equal(1_250);
      await page.getByText("3,750 connected").waitFor({ timeout: 20_000 });
      expect(offences).to.deep.equal([]);
    } finally {
      await browser.close();
      await crowd.stop();
      await server.close();
    }
  });
});
