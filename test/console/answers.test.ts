import { describeInBrowser } from "../helpers/browser.ts";
import type { ConsolePage } from "../helpers/console.ts";
import { journey } from "./journey.ts";

const NOT_UNDERSTOOD = "This page does not understand the server's answer.";

describeInBrowser("answers that the console does not expect", () => {
  const site = journey();
  let operator: ConsolePage;
  let id: string;
  before(async () => {
    id = (await site.server.createKey({ name: "web frontend" })).id;
  });
  beforeEach(async () => {
    operator = await site.open();
  });

  const key = () => ({
    id,
    hint: null,
    version: 1,
    state: "active",
    settings: {},
    secrets: [],
    createdAt: "2030-01-01T00:00:00Z",
    updatedAt: "2030-01-01T00:00:00Z",
    lastUsedAt: null,
    allowed: 0,
    denied: {},
    connections: 0,
  });
  for (const [what, contentType, body] of [
    ["a page of somebody in between", "text/html", () => "<h1>Sign in to the network</h1>"],
    ["nothing at all", "application/json", () => ""],
    ["another document", "application/json", () => '{"items": []}'],
    ["the same with a member of another kind", "application/json", () => JSON.stringify({ ...key(), id: 7 })],
    [
      "the same with a word that is not known",
      "application/json",
      () => JSON.stringify({ ...key(), state: "asleep" }),
    ],
    ["a list where an object belongs", "application/json", () => JSON.stringify({ ...key(), settings: [] })],
  ] as const) {
    it(`are said to be so, and asked for again: ${what}`, async () => {
      const { page, visit } = operator;
      const isKey = (url: URL): boolean => url.pathname === `/admin/v1/keys/${id}`;
      await page.route(isKey, (route) => route.fulfill({ status: 200, contentType, body: body() }));
      await visit(`/keys/${id}`);
      await page.getByText(NOT_UNDERSTOOD).waitFor();
      await page.unroute(isKey);
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("textbox", { name: "Key name" }).waitFor();
    });
  }

  it("do no harm in the live stream, which goes on with the next one that fits", async () => {
    const { page, visit } = operator;
    const isLive = (url: URL): boolean => url.pathname === "/admin/v1/live";
    const body = ["snapshot", "sample", "key", "denial", "message", "dropped"]
      .flatMap((name) => ["no JSON", "null", '{"id": 7}'].map((data) => `event: ${name}\ndata: ${data}\n\n`))
      .join("");
    const isServed = page.waitForResponse((response) => isLive(new URL(response.url())));
    await page.route(isLive, (route) =>
      route.fulfill({ status: 200, contentType: "text/event-stream", body: `retry: 50\n${body}` }),
    );
    await visit("/live/channel?name=lobby");
    await (await isServed).finished();
    await page.getByRole("status").getByText("Reconnecting…").waitFor();
    await page.unroute(isLive);
    await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
  });
});
