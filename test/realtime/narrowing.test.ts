import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { type CreatedKey, startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const CLIENTS = 30;
const CHANNELS = Array.from({ length: 1_000 }, (_, index) => `many:${index}`);
/** Nobody is told of the others, so that to join costs little. */
const MEMBER = ["join"];

describe("a key with 30,000 memberships", () => {
  let server: TestServer;
  let key: CreatedKey;
  let sender: SocketClient;
  let clients: SocketClient[];
  /** What its clients have heard that was sent after the admin API had answered. */
  let forbidden: unknown[];

  beforeEach(async function () {
    this.timeout(120_000);
    server = await startServer();
    const channels = [{ pattern: "**", actions: MEMBER }];
    key = await server.createKey({ allowRealtime: true, channels });
    const own = await server.createKey({ allowRealtime: true });
    sender = await new SocketClient(server.url, { apiKey: own.secret }).ready();
    forbidden = [];
    clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => new SocketClient(server.url, { apiKey: key.secret }).ready()),
    );
    for (const client of clients) {
      // So many events are kept by nobody.
      client.socket.offAny();
      client.socket.on("n", (payload) => {
        if (payload.message === "forbidden") forbidden.push(payload);
      });
      for (const channel of CHANNELS) client.socket.emit("join", { channel });
      await client.settle();
    }
  });
  afterEach(async () => {
    for (const client of [sender, ...clients]) client.close();
    await server.close();
  });

  const send = (message: string, channels: readonly string[]) =>
    Promise.all(channels.map((channel) => sender.request("message", { channel, eventName: "n", message })));
  /** How many turns of the event loop there are until a task is done, and how long the longest is. */
  const turnsOf = async (task: () => Promise<unknown>): Promise<{ turns: number; longestMs: number }> => {
    let [turns, longestMs, isDone] = [0, 0, false];
    const count = async (): Promise<void> => {
      for (let sinceMs = performance.now(); !isDone; sinceMs = performance.now()) {
        await nextTurn();
        turns += 1;
        longestMs = Math.max(longestMs, performance.now() - sinceMs);
      }
    };
    const counting = count();
    await task();
    isDone = true;
    await counting;
    return { turns, longestMs };
  };
  const settleAll = () => Promise.all(clients.map((client) => client.settle()));
  const NARROWED = { channels: [{ pattern: "many:1", actions: MEMBER }] };

  it("is narrowed with turns between, and silent once the admin API answers", async function () {
    this.timeout(60_000);
    const closed = Promise.all(
      clients.map(
        ({ socket }) =>
          new Promise<void>((resolve) => {
            let count = 0;
            socket.on("channel:closed", () => {
              count += 1;
              if (count === CHANNELS.length - 1) resolve();
            });
          }),
      ),
    );
    const kept: unknown[] = [];
    for (const { socket } of clients)
      socket.on("n", ({ message }) => message === "kept" && kept.push(message));
    const { turns, longestMs } = await turnsOf(async () => {
      expect((await server.patchKey(key.id, NARROWED)).status).to.equal(200);
      await send("forbidden", ["many:0", "many:500", "many:999"]);
    });
    await closed;
    await send("kept", ["many:1"]);
    await settleAll();
    expect(forbidden).to.deep.equal([]);
    expect(kept.length).to.equal(CLIENTS);
    // In one turn it took two seconds on a machine with nothing else to do.
    expect(turns).to.be.at.least(30);
    expect(longestMs).to.be.below(1_500);
  });

  it("is silent after the last answer where changes overlap, and previews with turns between", async function () {
    this.timeout(60_000);
    const preview = server.admin(`/keys/${key.id}/preview`, {
      method: "POST",
      body: NARROWED,
      headers: { "content-type": "application/merge-patch+json" },
    });
    const { turns, longestMs } = await turnsOf(async () => {
      expect((await preview).body).to.include({ total: CLIENTS, leaving: CLIENTS * (CHANNELS.length - 1) });
    });
    expect(turns).to.be.at.least(4);
    expect(longestMs).to.be.below(1_500);
    const ended = Promise.all(
      clients.map(({ socket }) => new Promise((resolve) => socket.on("connection:closing", resolve))),
    );
    const narrowed = server.patchKey(key.id, NARROWED);
    // It has begun, and most is still to be done.
    await Promise.race(
      clients.map(
        ({ socket }) => new Promise<void>((resolve) => socket.once("channel:closed", () => resolve())),
      ),
    );
    const deleted = server.deleteKey(key.id);
    expect([(await narrowed).status, (await deleted).status]).to.deep.equal([200, 204]);
    await send("forbidden", CHANNELS.slice(0, 20));
    await ended;
    await sender.settle();
    expect(forbidden).to.deep.equal([]);
  });
});
