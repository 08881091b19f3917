import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { expect } from "chai";
import { describeInBrowser } from "../helpers/browser.ts";
import { journey } from "./journey.ts";

/** What a page can ask of another port with the visitor's cookies. A text: it runs in the page as it is. */
const ATTACK = `async (at) => {
  const ask = (path, init) => fetch(at + path, { credentials: "include", ...init }).catch(() => undefined);
  await fetch("/admin/v1/mine");
  await ask("/keys", { mode: "no-cors" });
  await ask("/live", { mode: "no-cors" });
  await ask("/audit", { mode: "no-cors" });
  await ask("/keys?limit=1", {});
  await ask("/keys/export", { mode: "no-cors" });
  await ask("/keys/export", { method: "POST", mode: "no-cors", body: "{}" });
  await ask("/session", { method: "DELETE" });
  await new Promise((resolve) => {
    const source = new EventSource(at + "/live", { withCredentials: true });
    source.onerror = source.onopen = resolve;
  });
  await new Promise((resolve) => {
    const image = new Image();
    image.onerror = resolve;
    image.src = at + "/audit";
  });
  await new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.onload = resolve;
    frame.src = at + "/status";
    document.body.append(frame);
  });
}`;

const PLANT = `for (const where of ["/admin/v1", "/admin/v1/keys", "/admin/v1/session", "/admin", "/"]) {
  document.cookie = "sluice_session=" + "y".repeat(43) + "; path=" + where;
  document.cookie = "sluice_session=planted; path=" + where + "/";
}`;

describeInBrowser("a page on another port of the console's host", () => {
  const site = journey();
  let other: Server;
  let otherUrl: string;
  let sentAlong = "";
  before(async () => {
    await site.server.createKey({ name: "web frontend" });
    other = createServer((request, response) => {
      if (request.url === "/admin/v1/mine") sentAlong = request.headers.cookie ?? "";
      // Cookies know no ports: this answer can replace the console's.
      if (request.url === "/replace") {
        response.setHeader("set-cookie", `sluice_session=${"x".repeat(43)}; Path=/admin/v1; HttpOnly`);
      }
      response.setHeader("content-type", "text/html").end("<!doctype html><title>another server</title>");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    otherUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  });
  after(() => other.close());

  it("gets nothing with the console's session, although the browser sends the cookie along", async () => {
    const { context } = await site.open();
    const page = await context.newPage();
    const admin = `${site.server.adminUrl}/admin/v1`;
    const statuses: string[] = [];
    page.on("response", (answer) => {
      const { pathname } = new URL(answer.url());
      if (answer.url().startsWith(admin)) statuses.push(`${pathname.slice(9)} ${answer.status()}`);
    });
    await page.goto(`${otherUrl}/`);
    await page.evaluate(`(${ATTACK})("${admin}")`);
    expect(sentAlong, "the browser sends the cookie to every port").to.include("sluice_session=");
    expect(statuses).to.include.members([
      "/keys 403",
      "/live 403",
      "/audit 403",
      "/status 403",
      "/keys/export 403",
    ]);
    expect(statuses.filter((status) => !status.endsWith(" 403"))).to.deep.equal([]);
    const { body } = await site.server.admin("/audit?action=keys.exported");
    expect(body["items"]).to.deep.equal([]);
    const refusals = await site.server.admin("/audit?kind=refusals");
    expect(JSON.stringify(refusals.body)).to.include("foreign_origin");
  });

  it("cannot lock the console with cookies of its own", async () => {
    const { page, visit, context } = await site.open({ signedIn: false });
    const plant = async (path: string): Promise<void> => {
      const foreign = await context.newPage();
      await foreign.goto(otherUrl + path);
      await foreign.evaluate(PLANT);
      await foreign.close();
    };
    const signIn = async (): Promise<void> => {
      await page.getByLabel("Admin token").fill(site.server.adminToken);
      await page.getByLabel("Admin token").press("Enter");
      await page.getByRole("link", { name: "web frontend" }).waitFor();
    };
    await plant("/");
    await visit("");
    await signIn();
    await plant("/");
    await visit("");
    await page.getByRole("link", { name: "web frontend" }).waitFor();
    // Its server can replace the cookie itself: then one signs in again, and out.
    await plant("/replace");
    await visit("");
    await signIn();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Admin token").waitFor();
    await signIn();
  });
});
