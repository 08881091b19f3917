import { expect } from "chai";
import { Crowd } from "../../bench/crowd/crowd.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("admin API for connections", () => {
  let server: TestServer;
  let key: { id: string; secret: string };
  const clients: SocketClient[] = [];

  beforeEach(async () => {
    server = await startServer();
    key = await server.createKey({ name: "first key", allowRealtime: true });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await server.close();
  });

  async function connect(apiKey = key.secret, options = {}): Promise<SocketClient> {
    const client = await new SocketClient(server.url, { apiKey }, options).ready();
    clients.push(client);
    return client;
  }
  const itemsOf = (body: Record<string, unknown>): Record<string, unknown>[] =>
    Array.isArray(body["items"]) ? body["items"].map(toRecord) : [];
  const list = async (query = "") => {
    const { status, body } = await server.admin(`/connections${query}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return { items: itemsOf(body), next: body["next"], total: body["total"] };
  };
  const idsOf = (items: Record<string, unknown>[]): unknown[] => items.map(({ id }) => id);

  it("shows who is connected, since when, from where and where they are members", async () => {
    const before = Date.now();
    const client = await connect(key.secret, { extraHeaders: { origin: "https://app.example.com" } });
    for (let i = 0; i < 25; i += 1) await client.request("join", { channel: `room:${i}` });
    const { items, next, total } = await list();
    expect([next, total, items.length]).to.deep.equal([null, 1, 1]);
    const [item = {}] = items;
    expect(item).to.deep.include({
      id: client.socket.id,
      keyId: key.id,
      keyName: "first key",
      origin: "https://app.example.com",
      address: "127.0.0.1",
      transport: "websocket",
      channels: 25,
      channelNames: Array.from({ length: 20 }, (_, i) => `room:${i}`),
    });
    expect(Date.parse(String(item["connectedAt"]))).to.be.within(before - 1_000, Date.now());
    expect(JSON.stringify(items)).to.not.include(key.secret);
  });

  it("finds connections by key, by channel, by address and by range", async () => {
    const other = await server.createKey({ name: "other key", allowRealtime: true });
    const [a, b] = [await connect(), await connect()];
    const c = await connect(other.secret, { transports: ["polling"] });
    await b.request("join", { channel: "a" });
    await c.request("join", { channel: "a" });
    expect(idsOf((await list(`?key=${key.id}`)).items)).to.deep.equal([a.socket.id, b.socket.id]);
    expect(idsOf((await list("?channel=a")).items)).to.deep.equal([b.socket.id, c.socket.id]);
    expect(idsOf((await list(`?channel=a&key=${other.id}`)).items)).to.deep.equal([c.socket.id]);
    expect((await list(`?key=${other.id}`)).items[0]).to.include({ transport: "polling" });
    for (const [address, total] of [
      ["127.0.0.1", 3],
      ["127.0.0.0/8", 3],
      ["::ffff:127.0.0.1", 3],
      ["10.0.0.0/8", 0],
      ["::/0", 0],
    ] as const) {
      expect((await list(`?address=${encodeURIComponent(address)}`)).total, address).to.equal(total);
    }
    expect((await list("?key=&channel=&address=&limit=&after=")).total).to.equal(3);
    expect((await list("?key=key_unknown")).total).to.equal(0);
  });

  it("pages rightly although connections come and go", async () => {
    const crowd: SocketClient[] = [];
    for (let i = 0; i < 12; i += 1) crowd.push(await connect());
    const ids = crowd.map(({ socket }) => socket.id);
    const first = await list("?limit=5");
    expect(idsOf(first.items)).to.deep.equal(ids.slice(0, 5));
    expect(first.total).to.equal(12);
    // The last of the page goes, one of the page to come goes, and somebody arrives.
    crowd[4]?.close();
    crowd[6]?.close();
    const late = await connect();
    await late.request("members", { channel: "settle" });
    while ((await list()).total !== 11) await new Promise((resolve) => setImmediate(resolve));
    const second = await list(`?limit=5&after=${String(first.next)}`);
    expect(idsOf(second.items)).to.deep.equal([ids[5], ids[7], ids[8], ids[9], ids[10]]);
    const third = await list(`?limit=5&after=${String(second.next)}`);
    expect(idsOf(third.items)).to.deep.equal([ids[11], late.socket.id]);
    expect(third.next).to.equal(null);
  });

  it("closes one connection, which is told and stays away, and writes down who did it", async () => {
    const [a, b] = [await connect(), await connect()];
    await a.request("join", { channel: "room" });
    await b.request("join", { channel: "room" });
    const id = String(a.socket.id);
    const { status } = await server.admin(`/connections/${id}`, { method: "DELETE" });
    expect(status).to.equal(204);
    expect(await a.next("connection:closing")).to.include({ code: "closed_by_operator", retry: false });
    expect(await a.next("disconnect")).to.deep.equal({ value: "io server disconnect" });
    expect(await b.next("channel:leave")).to.deep.include({ channel: "room" });
    expect(idsOf((await list()).items)).to.deep.equal([b.socket.id]);
    expect((await server.admin(`/connections/${id}`, { method: "DELETE" })).status).to.equal(404);
    const audit = itemsOf((await server.admin("/audit?action=connection.closed")).body);
    expect(audit).to.have.length(1);
    expect(audit[0]).to.deep.include({ action: "connection.closed", keyId: key.id });
    expect(String(audit[0]?.["detail"])).to.include(id);
  });

  it("shows every one of thousands exactly once, while others come and go", async () => {
    const crowd = new Crowd();
    try {
      const localAddresses = ["127.0.0.1"];
      const shared = { port: server.port, apiKey: key.secret, localAddresses };
      await crowd.open({ ...shared, group: "all", count: 5_000, channels: ["a", "b", "c", "d"] });
      expect((await list("?limit=1")).total).to.equal(5_000);
      expect((await list("?limit=1&channel=b")).total).to.equal(1_250);
      const seen = new Set<unknown>();
      let after = "";
      for (let pages = 0; after !== "null"; pages += 1) {
        const page = await list(`?limit=500&after=${after}`);
        for (const { id } of page.items) {
          expect(seen.has(id), "shown twice").to.equal(false);
          seen.add(id);
        }
        after = String(page.next);
        if (pages > 0 && pages < 6) (await connect()).close();
        if (pages === 0) {
          // Of those that were shown and of those that are still to come.
          const ids = [...seen].slice(0, 3).concat(idsOf((await list("?limit=3&after=4000")).items));
          for (const id of ids) await server.admin(`/connections/${String(id)}`, { method: "DELETE" });
        }
      }
      expect(seen.size).to.be.within(4_997, 5_002);
    } finally {
      await crowd.stop();
    }
  }).timeout(300_000);

  it("refuses questions that are not well-formed", async () => {
    for (const query of [
      "limit=0",
      "limit=1001",
      "limit=10.5",
      "limit=1e2",
      "limit=true",
      "limit=5&limit=6",
      "after=-1",
      "after=x",
      "after=99999999999999999999",
      "address=10.0.0",
      "address=10.0.0.0/99",
      "address=%00",
      "channel=%01",
      "channel=*",
      `key=${"k".repeat(201)}`,
      "key=a&key=b",
    ]) {
      const { status, body } = await server.admin(`/connections?${query}`);
      expect(status, query).to.equal(400);
      expect(body["code"], query).to.be.oneOf(["invalid_request", "invalid_channel"]);
    }
    for (const id of ["__proto__", "x".repeat(200), encodeURIComponent("<script>")]) {
      expect((await server.admin(`/connections/${id}`, { method: "DELETE" })).status, id).to.equal(404);
    }
  });
});
