import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { toRecord } from "../helpers/record.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const ADMIN_TOKEN = "test-admin-token-0123456789";
const IS_COMPILED = import.meta.filename.endsWith(".js");
const SERVER = join(import.meta.dirname, `pressured-server.${IS_COMPILED ? "js" : "ts"}`);
const LOADER = IS_COMPILED ? [] : ["--import", import.meta.resolve("tsx")];

/** Polling sessions of the hoarder that never poll again: what is published to them waits in the heap. */
const SESSIONS = 8;
const LARGE = "y".repeat(200_000);
const SMALL = "y".repeat(15_000);

type Child = { readonly process: ChildProcess; readonly url: string; readonly adminUrl: string };

describe("a server with a heap of 128 MiB", () => {
  it("lives when one key fills it, closes that key's connections alone, and takes everything again afterwards", async function () {
    this.timeout(180_000);
    const child = await startChild();
    const admin = (path: string, body?: object) =>
      fetch(`${child.adminUrl}/admin/v1${path}`, {
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      }).then(async (response) => toRecord(await response.json()));
    const overload = async () => toRecord((await admin("/status"))["overload"]);
    const [hoarder, honest] = await Promise.all(
      [0, 1].map(async () => String((await admin("/keys", { name: "test", allowRealtime: true }))["secret"])),
    );
    const client = await new SocketClient(child.url, { apiKey: honest }).ready();
    await client.request("join", { channel: "calm" });
    for (let i = 0; i < SESSIONS; i += 1) await openAndLeave(child.url, String(hoarder));
    const flood = await new SocketClient(child.url, { apiKey: hoarder }).ready();

    let message = LARGE;
    while (Number((await overload())["shed"]) < SESSIONS) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, () =>
          flood.request("message", { channel: "full", eventName: "x", message }),
        ),
      ).catch(() => []);
      // From stage 2 on, only small ones are taken.
      if (answers.some(({ ok }) => ok === false)) message = SMALL;
      const published = await client.request("message", {
        channel: "calm",
        eventName: "x",
        message: "still here",
      });
      expect(published).to.include({ ok: true });
    }
    flood.close();
    for (;;) {
      const { stage } = await overload();
      if (stage === 0) break;
      await delay(100);
    }
    expect(child.process.exitCode).to.equal(null);
    expect(client.pending("connection:closing")).to.deep.equal([]);
    expect(await client.request("join", { channel: "another" })).to.include({ ok: true });
    expect((await overload())["heapLiveBytes"]).to.be.below(80 * 1024 * 1024);
    client.close();
    child.process.kill("SIGTERM");
    await once(child.process, "exit");
  });
});

async function startChild(): Promise<Child> {
  const child = spawn(process.execPath, ["--max-old-space-size=128", ...LOADER, SERVER], {
    env: { ...process.env, SLUICE_ADMIN_TOKEN: ADMIN_TOKEN },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, "line");
  const { url, adminUrl } = toRecord(JSON.parse(String(line)));
  return { process: child, url: String(url), adminUrl: String(adminUrl) };
}

/** A polling session that joins the channel and is never heard of again. */
async function openAndLeave(url: string, apiKey: string): Promise<void> {
  const path = `${url}/realtime/?EIO=4&transport=polling`;
  const opened = await (await fetch(path)).text();
  const { sid } = toRecord(JSON.parse(opened.slice(1)));
  const session = `${path}&sid=${String(sid)}`;
  const post = async (body: string) => (await fetch(session, { method: "POST", body })).text();
  await post(`40${JSON.stringify({ apiKey })}`);
  await (await fetch(session)).text();
  await post(`42${JSON.stringify(["join", { channel: "full" }])}`);
}
