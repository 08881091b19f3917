import { once } from "node:events";
import { expect } from "chai";
import { WebSocket } from "ws";
import { Link } from "../../helpers/link.ts";
import { startServer, type TestServer } from "../../helpers/server.ts";
import { SocketClient } from "../../helpers/socket-client.ts";

/** A connected WebSocket by hand. */
async function open(port: number, apiKey: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://localhost:${port}/realtime/?EIO=4&transport=websocket`);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => {
    socket.on("message", (data) => {
      const text = String(data);
      if (text.startsWith("0{")) socket.send(`40{"apiKey":"${apiKey}"}`);
      if (text.startsWith('42["connection:ready"')) resolve();
    });
  });
  return socket;
}

/** A connected polling session by hand: the path of its requests. */
async function openPolling(url: string, apiKey: string): Promise<string> {
  const base = "/realtime/?EIO=4&transport=polling";
  const opened = await (await fetch(`${url}${base}`)).text();
  const path = `${url}${base}&sid=${/"sid":"([^"]+)"/.exec(opened)?.[1]}`;
  await fetch(path, { method: "POST", body: `40{"apiKey":"${apiKey}"}` });
  let text = "";
  while (!text.includes("connection:ready")) text += await (await fetch(path)).text();
  return path;
}

describe("what a connection sends", () => {
  let server: TestServer;
  let secret: string;
  const open_: SocketClient[] = [];
  before(async () => {
    server = await startServer({ config: { maxWaitingBytes: 16 * 1024 * 1024 } });
    secret = (await server.createKey({ allowRealtime: true })).secret;
  });
  afterEach(() => {
    for (const client of open_.splice(0)) client.close();
  });
  after(() => server.close());

  const connect = async (url = server.url, apiKey = secret, options = {}): Promise<SocketClient> => {
    const client = new SocketClient(url, { apiKey }, options);
    open_.push(client);
    return client.ready();
  };

  it("comes slower beyond its rate, in order, and none of it is refused or lost", async () => {
    const slow = await startServer({ config: { maxRequestsPerSecond: 200 } });
    const key = await slow.createKey({ allowRealtime: true });
    for (const transports of [["websocket"], ["polling"]]) {
      const client = await connect(slow.url, key.secret, { transports });
      const other = await connect(slow.url, key.secret);
      await other.request("join", { channel: "c" });
      const startedMs = performance.now();
      // The first second's worth is there at once.
      const answers = Array.from({ length: 500 }, (_, n) =>
        client.socket.emitWithAck("message", { channel: "c", eventName: "n", message: n }),
      );
      const ids: { ok: boolean; offset: number }[] = await Promise.all(answers);
      expect(performance.now() - startedMs).to.be.above(1_000);
      const [first = { offset: Number.NaN }] = ids;
      expect(ids.map(({ offset }) => offset - first.offset)).to.deep.equal(ids.map((_, n) => n));
      await other.settle();
      expect(other.pending("n").map((one) => Reflect.get(Object(one), "message"))).to.deep.equal(
        ids.map((_, n) => n),
      );
      client.close();
      other.close();
    }
    await slow.close();
  });

  it("is answered, when it is a payload of thousands of packets, once all of them were handed on", async () => {
    const path = await openPolling(server.url, secret);
    const packets = Array.from({ length: 5_000 }, (_, n) => `42${n}["leave",{"channel":"none"}]`);
    let isAnswered = false;
    const posted = fetch(path, { method: "POST", body: packets.join("\x1e") }).then(async (response) => {
      isAnswered = true;
      return [response.status, await response.text()];
    });
    const acks: number[] = [];
    let before = 0;
    while (acks.length < packets.length) {
      if (!isAnswered) before = acks.length;
      const response = await fetch(path);
      expect(response.status).to.equal(200);
      for (const [, ack] of (await response.text()).matchAll(/43(\d+)\[/g)) acks.push(Number(ack));
    }
    expect(await posted).to.deep.equal([200, "ok"]);
    expect(acks).to.deep.equal(Array.from({ length: 5_000 }, (_, n) => n));
    // Others had their turns in between, and so had its own polls.
    expect(before).to.be.above(0);
  }).timeout(30_000);

  it("is refused when a payload has more packets than a megabyte of requests", async () => {
    const path = await openPolling(server.url, secret);
    const response = await fetch(path, { method: "POST", body: Array(40_001).fill("2").join("\x1e") });
    expect(response.status).to.equal(413);
    expect(await response.text()).to.include("payload_too_large");
  });

  it("has one pong for all pings of a turn", async () => {
    const socket = await open(server.port, secret);
    const pongs: string[] = [];
    socket.on("pong", (data) => pongs.push(String(data)));
    for (let n = 1; n <= 10_000; n += 1) socket.ping(String(n));
    while (pongs.at(-1) !== "10000") await once(socket, "pong");
    expect(pongs.length).to.be.below(5_000);
    socket.ping("again");
    await once(socket, "pong");
    expect(pongs.at(-1)).to.equal("again");
    socket.terminate();
  });

  it("is bounded where it waits, over all connections: who holds most of a key that holds most is ended", async () => {
    const greedy = await server.createKey({ allowRealtime: true });
    const source = await connect();
    let since: object = {};
    for (let i = 0; i < 16; i += 1) {
      const { epoch } = await source.request("message", {
        channel: "long",
        eventName: "x",
        message: "x".repeat(900_000),
      });
      since = { epoch, offset: 0 };
    }
    const link = await Link.open(server.port);
    const honest = await connect(link.url);
    const attackers = await Promise.all(
      Array.from({ length: 20 }, () => openPolling(server.url, greedy.secret)),
    );
    link.stall();
    const honestJoin = honest.socket.emitWithAck("join", { channel: "long", since });
    // Behind its join, one waits with 100 kB, and each of the others with nine times as much, and asks for nothing.
    await source.settle();
    const said: Promise<{ ok: boolean }>[] = [];
    for (let i = 0; i < 10; i += 1) {
      said.push(
        honest.socket.emitWithAck("message", {
          channel: "elsewhere",
          eventName: "y",
          message: "y".repeat(10_000),
        }),
      );
    }
    const large = { channel: "elsewhere", eventName: "y", message: "z".repeat(900_000) };
    const body = `42${JSON.stringify(["join", { channel: "long", since }])}\x1e42${JSON.stringify(["message", large])}`;
    const posts = attackers.map((path) => fetch(path, { method: "POST", body }).catch(() => undefined));
    const left = async (): Promise<unknown> =>
      (await server.admin(`/connections?key=${greedy.id}`)).body["total"];
    while ((await left()) === 20) await source.settle();
    expect(await left()).to.be.within(1, 19);
    link.flow();
    expect(await honestJoin).to.include({ ok: true, recovered: true });
    expect((await Promise.all(said)).map(({ ok }) => ok)).to.deep.equal(Array(10).fill(true));
    // Whoever was not ended gets what it joined for, as soon as it asks.
    const answers = await Promise.all(attackers.map(async (path) => (await fetch(path)).text()));
    expect(answers.filter((text) => text.startsWith('42["x"'))).to.not.deep.equal([]);
    await server.deleteKey(greedy.id);
    await Promise.all(posts);
    link.close();
  }).timeout(60_000);
});
