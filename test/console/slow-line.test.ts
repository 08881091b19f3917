import { expect } from "chai";
import { describeInBrowser } from "../helpers/browser.ts";
import { journey } from "./journey.ts";

describeInBrowser("the console before its files are there", () => {
  const site = journey();

  it("says that it is loading, without scripts and styles of its own, and then shows the list", async () => {
    await site.server.createKey({ name: "at last" });
    const { page, visit } = await site.open();
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.route("**/assets/**", async (route) => {
      await held;
      await route.continue();
    });
    const visited = visit("/keys");
    await page.getByText("Loading the console…").waitFor();
    // Painted, and not only there.
    const painted: unknown = await page.evaluate(
      "new Promise((resolve) => { const look = () => performance.getEntriesByName('first-contentful-paint').length > 0 ? resolve(true) : setTimeout(look, 20); look(); })",
    );
    expect(painted).to.equal(true);
    letGo();
    await visited;
    await page.getByRole("link", { name: "at last" }).waitFor();
    expect(await page.getByText("Loading the console…").count()).to.equal(0);
  });
});
