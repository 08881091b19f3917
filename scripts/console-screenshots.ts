import type { Browser, Page } from "playwright-core";
import { openConsole } from "../test/helpers/console.ts";
import { startServer, type TestServer } from "../test/helpers/server.ts";
import { SocketClient } from "../test/helpers/socket-client.ts";

const SIZES = { desktop: [1280, 860], phone: [390, 844] } as const;
const LOOKS = [
  ["", "desktop", "light"],
  ["-dark", "desktop", "dark"],
  ["-phone", "phone", "light"],
  ["-phone-dark", "phone", "dark"],
] as const;
const ORIGIN = "https://app.example.com";
/** Long enough for the small charts to have a shape. */
const SAMPLES = 20;

type Shot = { readonly name: string; readonly path: string; ready(page: Page): Promise<unknown> };

/** The console of a small shop, with people in it, at phone and desktop width, in light and dark. */
export async function photographConsole(browser: Browser): Promise<void> {
  const server = await startServer({
    config: {
      endpoints: [
        { id: "list-orders", method: "GET", path: "/orders", handler: () => [] },
        { id: "make-order", method: "POST", path: "/orders", handler: () => ({}) },
        { id: "get-file", method: "GET", path: "/files/*", handler: () => ({}) },
      ],
    },
  });
  const { id, secret } = await fill(server);
  const clients = await connect(server, secret);
  const talk = talking(clients);
  for (const [suffix, size, scheme] of LOOKS) {
    const [width, height] = SIZES[size];
    const { page, visit, close } = await openConsole(browser, server, { scheme, width, height });
    if (suffix === "") await watchUntilSampled(page, visit);
    for (const { name, path, ready } of shots(id)) {
      await visit(path);
      await ready(page);
      await page.locator(".dot[data-tone=good]").first().waitFor();
      await page.screenshot({ path: `docs/images/console-${name}${suffix}.png` });
    }
    await visit(`/keys/${id}/domains`);
    await page.getByRole("textbox", { name: "Domain 1", exact: true }).fill("https://www.example.com");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText(/^This will close/).waitFor();
    await page.screenshot({ path: `docs/images/console-preview${suffix}.png` });
    await close();
  }
  clearInterval(talk);
  for (const client of clients) client.close();
  await server.close();
}

function shots(id: string): Shot[] {
  return [
    {
      name: "keys",
      path: "/keys",
      ready: (page) => page.getByRole("link", { name: "web frontend" }).waitFor(),
    },
    {
      name: "key",
      path: `/keys/${id}`,
      ready: async (page) => {
        await page.getByRole("checkbox", { name: "POST /orders" }).waitFor();
      },
    },
    {
      name: "live",
      path: "/live",
      ready: (page) =>
        page.locator('[data-figure="Published"] [data-value]').filter({ hasText: /[1-9]/ }).waitFor(),
    },
    {
      name: "explain",
      path: `/explain?keyId=${id}&action=publish&channel=staff:kitchen&origin=${ORIGIN}&address=203.0.113.7`,
      ready: (page) => page.getByRole("region", { name: "Answer" }).waitFor(),
    },
    {
      name: "settings",
      path: "/settings",
      ready: (page) => page.locator("[data-setting]").first().waitFor(),
    },
  ];
}

async function fill(server: TestServer): Promise<{ id: string; secret: string }> {
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  await server.createKey({ name: "orders service", ips: { mode: "specified", list: ["10.0.0.0/8"] } });
  await server.createKey({ name: "old kiosk", enabled: false });
  await server.createKey({ name: "partner feed", allowRealtime: true, expiresAt: inDays(3) });
  await server.createKey({ name: "trade fair 2025", expiresAt: "2025-06-01T00:00:00Z" });
  const { id: rotating } = await server.createKey({ name: "mobile app", allowRealtime: true });
  await server.admin(`/keys/${rotating}/rotate`, { method: "POST", body: {} });
  return server.createKey({
    name: "web frontend",
    allowRealtime: true,
    endpoints: { mode: "custom-allowed", list: ["list-orders", "make-order"] },
    expiresAt: inDays(400),
    domains: { mode: "specified", list: [ORIGIN, "https://*.partner.example"] },
    channels: [{ pattern: "chat:*", actions: ["join", "publish", "presence"] }],
  });
}

async function connect(server: TestServer, apiKey: string): Promise<SocketClient[]> {
  const extraHeaders = { origin: ORIGIN };
  const rooms = ["chat:lobby", "chat:orders", "chat:support"];
  return Promise.all(
    Array.from({ length: 24 }, async (_, index) => {
      const client = await new SocketClient(server.url, { apiKey }, { extraHeaders }).ready();
      await client.request("join", { channel: rooms[index % rooms.length] });
      return client;
    }),
  );
}

/** Somebody says something, now more and now less. */
function talking(clients: readonly SocketClient[]): NodeJS.Timeout {
  let turn = 0;
  return setInterval(() => {
    turn += 1;
    const wave = 2 + Math.round(2 * Math.sin(turn / 12));
    for (let i = 0; i < wave; i += 1) {
      const client = clients[(turn * 7 + i) % clients.length];
      client?.socket.emit("message", { channel: "chat:lobby", eventName: "say", message: { text: "hello" } });
    }
  }, 150);
}

async function watchUntilSampled(page: Page, visit: (path: string) => Promise<void>): Promise<void> {
  const response = page.waitForEvent("request", (request) => request.url().includes("/live"));
  await visit("/live");
  await response;
  await page.waitForTimeout(SAMPLES * 1_000);
}
