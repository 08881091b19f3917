import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { withRowsOf } from "../../console/key/rows.ts";
import { describeInBrowser } from "../helpers/browser.ts";
import type { ConsolePage } from "../helpers/console.ts";
import type { CreatedKey } from "../helpers/server.ts";
import { journey } from "./journey.ts";

const SETTINGS = {
  name: "with rows",
  domains: { mode: "specified", list: ["https://a.example", "https://b.example", "https://c.example"] },
  ips: { mode: "specified", list: ["10.0.0.1", "10.0.0.2", "10.0.0.3"] },
  channels: ["a", "b", "c"].map((pattern) => ({ pattern, actions: ["join"] })),
  limits: ["a", "b", "c"].map((name) => ({ name, limit: 5, windowSeconds: 1, per: "key" })),
};

/** A list of three rows: where it is, and how its fields are found. */
const LISTS = [
  {
    tab: "domains",
    noun: "domain",
    first: "https://a.example",
    last: "https://c.example",
    refused: "https://c.example/path",
    field: (page: Page, place: number) => page.getByLabel(`Domain ${place}`, { exact: true }),
  },
  {
    tab: "ips",
    noun: "address",
    first: "10.0.0.1",
    last: "10.0.0.3",
    refused: "10.0.0.333",
    field: (page: Page, place: number) => page.getByLabel(`Address ${place}`, { exact: true }),
  },
  {
    tab: "channels",
    noun: "rule",
    first: "a",
    last: "c",
    refused: "c:**:d",
    field: (page: Page, place: number) =>
      page.getByRole("group", { name: `Rule ${place}` }).getByLabel("Pattern"),
  },
  {
    tab: "limits",
    noun: "limit",
    first: "a",
    last: "c",
    refused: "c d/e",
    field: (page: Page, place: number) =>
      page.getByRole("group", { name: `Limit ${place}` }).getByLabel("Name"),
  },
] as const;

describeInBrowser("the rows of a key's lists", () => {
  const site = journey();
  let operator: ConsolePage;
  let page: Page;
  let key: CreatedKey;
  beforeEach(async () => {
    key = await site.server.createKey(SETTINGS);
    operator = await site.open();
    page = operator.page;
  });

  const remove = (noun: string, place: number) =>
    page.getByRole("button", { name: `Remove ${noun} ${place}` });
  const hasFocus = (one: Locator) => page.locator(":focus").and(one).waitFor();
  const isInvalid = (one: Locator) => page.locator("[aria-invalid=true]").and(one).waitFor();

  for (const { tab, noun, first, last, refused, field } of LISTS) {
    it(`keep focus, caret, text and fault when the one before goes: ${tab}`, async () => {
      await operator.visit(`/keys/${key.id}/${tab}`);
      await field(page, 3).fill(refused);
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await isInvalid(field(page, 3));
      await field(page, 3).focus();
      await page.keyboard.press("Home");
      // Not every browser gives a button the focus that is clicked: the one that is typed in keeps it.
      await remove(noun, 2).dispatchEvent("click");
      await field(page, 3).waitFor({ state: "detached" });
      await hasFocus(field(page, 2));
      await isInvalid(field(page, 2));
      expect(await page.locator("[aria-invalid=true]").count()).to.equal(1);
      await page.keyboard.type("x");
      expect(await field(page, 1).inputValue()).to.equal(first);
      expect(await field(page, 2).inputValue()).to.equal(`x${refused}`);
    });

    it(`are removed one after the other by keyboard: ${tab}`, async () => {
      await operator.visit(`/keys/${key.id}/${tab}`);
      await remove(noun, 2).focus();
      await page.keyboard.press("Enter");
      await field(page, 3).waitFor({ state: "detached" });
      await hasFocus(remove(noun, 2));
      expect(await field(page, 2).inputValue()).to.equal(last);
      await page.keyboard.press("Enter");
      await hasFocus(remove(noun, 1));
      await page.keyboard.press("Enter");
      await field(page, 1).waitFor({ state: "detached" });
      await hasFocus(page.getByRole("button", { name: "+ Add Another One" }));
      await page.keyboard.press("Enter");
      await page.keyboard.type("typed at once");
      expect(await field(page, 1).inputValue()).to.equal("typed at once");
    });

    it(`keep the focus when they are saved, and are sent without what only the page knows: ${tab}`, async () => {
      await operator.visit(`/keys/${key.id}/${tab}`);
      await remove(noun, 1).click();
      await page.getByRole("button", { name: "+ Add Another One" }).click();
      await field(page, 2).focus();
      const isSent = page.waitForRequest((request) => request.method() === "PATCH");
      await page.keyboard.press("Control+s");
      expect((await isSent).postData()).to.not.include("row");
      await page.getByText("Saved.").first().waitFor();
      await field(page, 3).waitFor({ state: "detached" });
      await hasFocus(field(page, 2));
      expect(await field(page, 2).inputValue()).to.equal(last);
    });
  }
});

describe("rows of a list that came anew", () => {
  const rows = (texts: string, row: number) => [...texts].map((text, index) => ({ row: row + index, text }));
  for (const [what, before, after, expected] of [
    ["are those of the same text", "abc", "abc", [1, 2, 3]],
    ["are those of the same text after one between them went", "abc", "ac", [1, 3]],
    ["are each used once where texts are alike", "aab", "aaa", [1, 2, 3]],
    ["are those in its order where a text was written in another way", "abc", "aBc", [1, 2, 3]],
    ["are new where there are more", "ab", "abcd", [1, 2, 12, 13]],
    ["are new where there were none", "", "ab", [10, 11]],
  ] as const) {
    it(what, () => {
      expect(withRowsOf(rows(before, 1), rows(after, 10)).map(({ row }) => row)).to.deep.equal(expected);
    });
  }
});
