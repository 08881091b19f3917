import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

/** Descriptors are what a test can be short of without harming anybody: open files of its own process. */
const PRESSURE_FILES = 300;
const SOFT_LIMIT = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1]);

/** A server whose stages up to `stage` begin when 150 more files are open than now. */
async function startNearLimit(stage: 1 | 2 | 3, config = {}): Promise<TestServer> {
  const share = (readdirSync("/proc/self/fd").length + 150) / SOFT_LIMIT;
  const descriptors = [share, stage >= 2 ? share : 1, stage >= 3 ? share : 1] as const;
  return startServer({ config: { overload: { descriptors }, ...config } });
}

describe("a node under pressure", () => {
  const files: number[] = [];
  const press = (): void => {
    for (let i = 0; i < PRESSURE_FILES; i += 1) files.push(openSync("/dev/null", "r"));
  };
  const release = (): void => {
    for (const file of files.splice(0)) closeSync(file);
  };
  afterEach(release);

  it("refuses new connections at stage 1, keeps those it has, and takes new ones again afterwards", async () => {
    const server = await startNearLimit(1);
    const { secret } = await server.createKey({ allowRealtime: true });
    const inside = await new SocketClient(server.url, { apiKey: secret }).ready();
    await inside.request("join", { channel: "a" });
    press();
    await untilStage(server, 1);

    const response = await fetch(`${server.url}/realtime/?EIO=4&transport=polling`);
    expect(response.status).to.equal(503);
    expect(Number(response.headers.get("retry-after"))).to.be.within(1, 6);
    expect(await response.json()).to.include({ code: "overloaded" });
    expect(await inside.request("join", { channel: "b" })).to.include({ ok: true });
    expect(
      await inside.request("message", { channel: "a", eventName: "x", message: "y".repeat(50_000) }),
    ).to.include({
      ok: true,
    });

    release();
    await untilStage(server, 0);
    (await new SocketClient(server.url, { apiKey: secret }).ready()).close();
    inside.close();
    await server.close();
  });

  it("refuses joins and large publishes at stage 2, over sockets and over HTTP, and takes small ones", async () => {
    const server = await startNearLimit(2);
    const { secret } = await server.createKey({ allowRealtime: true });
    const inside = await new SocketClient(server.url, { apiKey: secret }).ready();
    await inside.request("join", { channel: "a" });
    press();
    await untilStage(server, 2);

    const publish = (size: number) =>
      inside.request("message", { channel: "a", eventName: "x", message: "y".repeat(size) });
    const post = (size: number) =>
      fetch(`${server.url}/channels/publish`, {
        method: "POST",
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        body: JSON.stringify({ channel: "a", eventName: "x", message: "y".repeat(size) }),
      });
    const refusals = [await inside.request("join", { channel: "b" }), await publish(20_000)];
    for (const refused of refusals) {
      expect(refused).to.include({ ok: false });
      expect(toRecord(refused["error"])).to.include({ code: "overloaded" });
      expect(toRecord(refused["error"])["afterMs"]).to.be.within(1_000, 5_000);
    }
    expect((await post(20_000)).status).to.equal(503);
    // What it is a member of already costs nothing new.
    expect(await inside.request("join", { channel: "a" })).to.include({ ok: true });
    expect(await publish(1_000)).to.include({ ok: true });
    expect((await post(1_000)).status).to.equal(200);

    inside.close();
    await server.close();
  });

  it("closes connections of the heaviest key at stage 3, tells them when to come back, and leaves the others alone", async () => {
    const server = await startNearLimit(3);
    const heavy = await server.createKey({ allowRealtime: true });
    const honest = await server.createKey({ allowRealtime: true });
    const crowd = await Promise.all(
      Array.from({ length: 12 }, () => new SocketClient(server.url, { apiKey: heavy.secret }).ready()),
    );
    const quiet = await new SocketClient(server.url, { apiKey: honest.secret }).ready();
    await quiet.request("join", { channel: "a" });
    press();
    await untilStage(server, 3);

    const told = await Promise.race(crowd.map((client) => client.next("connection:closing")));
    release();
    expect(told).to.include({ code: "overloaded", retry: true });
    expect(told["afterMs"]).to.be.within(1_000, 61_000);
    expect(await quiet.request("message", { channel: "a", eventName: "x", message: 1 })).to.include({
      ok: true,
    });
    expect(quiet.pending("connection:closing")).to.deep.equal([]);
    const { body } = await server.admin("/status");
    expect(toRecord(body["overload"])["shed"]).to.be.at.least(8);

    for (const client of [...crowd, quiet]) client.close();
    await server.close();
  });

  it("does nothing where the configuration turns the guard off, and shows the figures all the same", async () => {
    const server = await startServer({ config: { overload: false } });
    press();
    await delay(600);
    const { body } = await server.admin("/status");
    const view = toRecord(body["overload"]);
    expect(view).to.include({ stage: 0, since: null, descriptorLimit: SOFT_LIMIT });
    expect(view["descriptors"]).to.be.at.least(PRESSURE_FILES);
    expect(view["heapLiveBytes"]).to.be.within(1_000_000, Number(view["heapLimitBytes"]));
    await server.close();
  });
});

async function untilStage(server: TestServer, stage: number): Promise<void> {
  for (;;) {
    const { body } = await server.admin("/status");
    if (toRecord(body["overload"])["stage"] === stage) return;
    await delay(50);
  }
}
