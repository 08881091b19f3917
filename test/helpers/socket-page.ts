import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { toRecord } from "./record.ts";

const SCRIPT = readFileSync(
  new URL("../../node_modules/socket.io-client/dist/socket.io.min.js", import.meta.url),
  "utf8",
);

const PAGE = `<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,"><script>${SCRIPT}</script><script>
async function talk(apiKey, options) {
  const socket = io({ path: "/realtime/", auth: { apiKey }, reconnection: false, ...options });
  try {
    return await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error("nothing came for 15 s")), 15000);
      let first;
      socket.io.on("open", () => {
        first = socket.io.engine.transport.name;
      });
      socket.on("connect_error", (error) => resolve({ code: error.data?.code ?? error.message }));
      socket.on("disconnect", (reason) => reject(new Error(reason)));
      socket.on("connect", async () => {
        const { engine } = socket.io;
        if (options?.transports?.length !== 1 && engine.transport.name === "polling")
          await new Promise((upgraded) => engine.once("upgrade", upgraded));
        socket.on("say", ({ message }) => resolve({ heard: message, first, last: socket.io.engine.transport.name }));
        await socket.emitWithAck("join", { channel: "a" });
        socket.emit("message", { channel: "a", eventName: "say", message: "hello" });
      });
    });
  } finally {
    socket.off("disconnect").disconnect();
  }
}
async function call(apiKey, method) {
  const answer = await fetch("/api/probe", { method, headers: { "x-api-key": apiKey } });
  return answer.ok ? "ok" : (await answer.json()).code;
}
</script>`;

/** A page with an unmodified socket.io-client, which talks to the origin that it came from. */
export const SOCKET_PAGE = PAGE;

/** How a connection of the page went: the transports that it had first and last and what it heard, or why it was refused. */
export async function talk(
  page: Page,
  apiKey: string,
  options: object = {},
): Promise<Record<string, unknown>> {
  return toRecord(await page.evaluate(`talk(${JSON.stringify(apiKey)}, ${JSON.stringify(options)})`));
}

/** How a call of the page to an endpoint ended: `ok`, or the code of its refusal. */
export async function callProbe(page: Page, apiKey: string, method: "GET" | "POST"): Promise<unknown> {
  return page.evaluate(`call(${JSON.stringify(apiKey)}, "${method}")`);
}
