import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const CHANNELS = Array.from({ length: 100 }, (_, index) => `crowded:${index}`);
const WATCHERS = 4;
/** How long an attack lasts, and how often the attacker sends. */
const ATTACK_MS = 1_000;
const EVERY_MS = 4;
/** Channels that it leaves and joins again at a time. */
const TOGGLED = 5;

describe("a connection that changes its presence without end", () => {
  let server: TestServer;
  let watchers: SocketClient[];
  let flooder: SocketClient;
  let honest: SocketClient;
  /** What each watcher has been told last of the flooder, by channel. */
  let last: Map<string, unknown>[];

  const start = async (maxPresenceDeliveriesPerSecond: number): Promise<void> => {
    server = await startServer({ config: { maxPresenceDeliveriesPerSecond } });
    const [theirs, own] = [
      await server.createKey({ allowRealtime: true }),
      await server.createKey({ allowRealtime: true }),
    ];
    const connect = (apiKey: string) => new SocketClient(server.url, { apiKey }).ready();
    honest = await connect(own.secret);
    await honest.request("join", { channel: "honest" });
    watchers = await Promise.all(Array.from({ length: WATCHERS }, () => connect(theirs.secret)));
    flooder = await connect(theirs.secret);
    for (const client of [...watchers, flooder]) {
      for (const channel of CHANNELS) client.socket.emit("join", { channel, echo: false });
      await client.settle();
    }
    last = watchers.map(({ socket }) => {
      // Kept by nobody but this test: they are many.
      socket.offAny();
      const heard = new Map<string, unknown>();
      socket.on("channel:update", ({ channel, message }) => heard.set(channel, message.data));
      socket.on("channel:join", ({ channel, message }) => heard.set(channel, message.data));
      socket.on("channel:leave", ({ channel }) => heard.set(channel, "gone"));
      return heard;
    });
  };
  afterEach(async () => {
    for (const client of [honest, flooder, ...watchers]) client.close();
    await server.close();
  });

  /** Send without waiting for answers. @returns the honest client's round trips meanwhile, in milliseconds. */
  const flood = async (send: (round: number) => void): Promise<number[]> => {
    const untilMs = performance.now() + ATTACK_MS;
    let round = 0;
    const timer = setInterval(() => {
      round += 1;
      send(round);
    }, EVERY_MS);
    const tripsMs: number[] = [];
    while (performance.now() < untilMs) {
      const sentMs = performance.now();
      await honest.request("message", { channel: "honest", eventName: "n", message: 1 });
      tripsMs.push(performance.now() - sentMs);
      await sleep(5);
    }
    clearInterval(timer);
    return tripsMs.sort((a, b) => a - b);
  };
  const medianOf = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? 0;
  const untilAllHeard = async (data: unknown): Promise<void> => {
    for (const heard of last) {
      while (CHANNELS.some((channel) => heard.get(channel) !== data)) await sleep(10);
    }
  };

  it("does not make another key's client wait, and its last word reaches every watcher", async () => {
    await start(0);
    const tripsMs = await flood((round) => flooder.socket.emit("update", { data: round, echo: false }));
    await flooder.request("update", { data: "last" });
    await untilAllHeard("last");
    expect(medianOf(tripsMs)).to.be.below(200);
  });

  it("does not make it wait by joining and leaving either", async () => {
    await start(0);
    const tripsMs = await flood((round) => {
      const from = (Math.floor(round / 2) * TOGGLED) % CHANNELS.length;
      for (const channel of CHANNELS.slice(from, from + TOGGLED))
        flooder.socket.emit(round % 2 === 1 ? "leave" : "join", { channel, echo: false });
    });
    for (const channel of CHANNELS) flooder.socket.emit("leave", { channel });
    await untilAllHeard("gone");
    expect(medianOf(tripsMs)).to.be.below(200);
  });

  it("is refused for a while, and told for how long", async () => {
    await start(1_000);
    const answers: Record<string, unknown>[] = [];
    // A burst is ten thousand deliveries, and each update is one to each of five members of a hundred channels.
    for (let round = 0; round < 40; round += 1)
      answers.push(await flooder.request("update", { data: round }));
    const refused = answers.find(({ ok }) => ok !== true);
    expect(refused).to.have.nested.property("error.code", "rate_limit_exceeded");
    expect(refused).to.have.nested.property("error.afterMs").that.is.within(1, 10_000);
    expect(await flooder.request("join", { channel: "another" })).to.have.nested.property(
      "error.code",
      "rate_limit_exceeded",
    );
    // To leave is never refused, and nobody else pays for it.
    expect(await flooder.request("leave", { channel: "crowded:0" })).to.deep.equal({ ok: true });
    expect(await honest.request("join", { channel: "another" })).to.include({ ok: true });
  });
});
