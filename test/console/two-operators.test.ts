import { expect } from "chai";
import { describeInBrowser } from "../helpers/browser.ts";
import type { ConsolePage } from "../helpers/console.ts";
import { journey } from "./journey.ts";

describeInBrowser("two operators who edit one key", () => {
  const site = journey();
  let ann: ConsolePage;
  let ben: ConsolePage;
  let id: string;
  beforeEach(async () => {
    [ann, ben] = await Promise.all([site.open(), site.open()]);
    ({ id } = await site.server.createKey({
      name: "shared",
      ips: { mode: "specified", list: ["10.0.0.1"] },
    }));
    for (const { visit, page } of [ann, ben]) {
      await visit(`/keys/${id}`);
      await page.getByRole("textbox", { name: "Key name" }).waitFor();
    }
  });

  const rename = ({ page }: ConsolePage, name: string) =>
    page.getByRole("textbox", { name: "Key name" }).fill(name);
  const save = ({ page }: ConsolePage) => page.getByRole("button", { name: "Save", exact: true }).click();
  const stored = async (): Promise<unknown> => (await site.server.admin(`/keys/${id}`)).body["settings"];
  const dialogOf = ({ page }: ConsolePage) =>
    page.getByRole("dialog", { name: "Somebody else changed this key" });

  it("both keep what they did where it is in different fields", async () => {
    await rename(ann, "renamed by Ann");
    await ben.page.getByRole("tab", { name: "Allowed IPs" }).click();
    await ben.page.getByRole("button", { name: "+ Add Another One" }).click();
    await ben.page.keyboard.type("10.0.0.2");
    await save(ann);
    await ann.page.getByText("Saved.").waitFor();
    await save(ben);
    const dialog = dialogOf(ben);
    await dialog.locator("[data-field=name]").getByText("renamed by Ann").waitFor();
    await dialog.locator("[data-field=ips]").getByText("10.0.0.2").waitFor();
    await dialog.getByRole("button", { name: "Save these" }).click();
    await ben.page.getByText("Saved.").waitFor();
    expect(await stored()).to.deep.include({
      name: "renamed by Ann",
      ips: { mode: "specified", list: ["10.0.0.1", "10.0.0.2"] },
    });
  });

  for (const [whose, name] of [
    ["Mine", "by Ben"],
    ["Theirs", "by Ann"],
  ] as const) {
    it(`choose for the same field: ${whose.toLowerCase()}`, async () => {
      await rename(ann, "by Ann");
      await rename(ben, "by Ben");
      await ben.page.getByRole("switch", { name: "Allow realtime" }).click();
      await save(ann);
      await ann.page.getByText("Saved.").waitFor();
      await save(ben);
      const field = dialogOf(ben).locator("[data-field=name]");
      await field.getByText("you both changed it").waitFor();
      for (const text of ["shared", "by Ann", "by Ben"])
        await field.getByText(text, { exact: true }).first().waitFor();
      await field.getByText(whose, { exact: true }).first().click();
      await dialogOf(ben).getByRole("button", { name: "Save these" }).click();
      await ben.page.getByText("Saved.").waitFor();
      expect(await stored()).to.deep.include({ name, allowRealtime: true });
    });
  }

  it("hear of each other before they save", async () => {
    await rename(ben, "by Ben, not saved");
    await site.server.patchKey(id, { allowRealtime: true });
    await ben.page
      .getByText("It is at version 2 now. Your changes are still here.")
      .waitFor({ timeout: 30_000 });
    await ben.page.getByRole("button", { name: "See the difference" }).click();
    await dialogOf(ben).getByRole("button", { name: "Take these and go on editing" }).click();
    expect(await ben.page.getByRole("textbox", { name: "Key name" }).inputValue()).to.equal(
      "by Ben, not saved",
    );
    await save(ben);
    await ben.page.getByText("Saved.").waitFor();
    expect(await stored()).to.deep.include({ name: "by Ben, not saved", allowRealtime: true });
    // Who has nothing unsaved just sees the newest.
    await ann.page.getByRole("heading", { name: "by Ben, not saved" }).waitFor({ timeout: 30_000 });
  });

  it("do not bring a deleted key back", async () => {
    await rename(ben, "by Ben");
    await site.server.deleteKey(id);
    await save(ben);
    await ben.page.getByText("There is no such key", { exact: false }).first().waitFor();
    expect((await site.server.admin(`/keys/${id}`)).status).to.equal(404);
  });
});
