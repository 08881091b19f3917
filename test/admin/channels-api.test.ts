import { expect } from "chai";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("admin API for channels", () => {
  let server: TestServer;
  let key: { id: string; secret: string };
  const clients: SocketClient[] = [];

  beforeEach(async () => {
    server = await startServer();
    key = await server.createKey({ allowRealtime: true });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await server.close();
  });

  async function member(...channels: string[]): Promise<SocketClient> {
    const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    clients.push(client);
    for (const channel of channels)
      expect(await client.request("join", { channel })).to.include({ ok: true });
    return client;
  }
  const itemsOf = (body: Record<string, unknown>): Record<string, unknown>[] =>
    Array.isArray(body["items"]) ? body["items"].map(toRecord) : [];
  const get = async (path: string) => {
    const { status, body } = await server.admin(path);
    expect(status, JSON.stringify(body)).to.equal(200);
    return { items: itemsOf(body), next: body["next"], total: body["total"] };
  };

  it("lists channels by name with their members and positions", async () => {
    const hostile = '<img src=x onerror="alert(1)">&\u202e';
    const a = await member("beta", "alpha", hostile);
    await member("alpha");
    const { epoch } = await a.request("message", { channel: "alpha", eventName: "say", message: 1 });
    const { items, next, total } = await get("/channels");
    expect([next, total]).to.deep.equal([null, 3]);
    expect(items.map(({ name, members }) => [name, members])).to.deep.equal([
      [hostile, 1],
      ["alpha", 2],
      ["beta", 1],
    ]);
    expect(items[1]).to.deep.include({ epoch, offset: 1 });
    expect(items[1]?.["messagesPerSecond"]).to.be.a("number");
  });

  it("pages rightly although channels come and go", async () => {
    const names = Array.from({ length: 30 }, (_, i) => `room:${String(i).padStart(2, "0")}`);
    const client = await member(...[...names].reverse(), "other");
    const first = await get("/channels?prefix=room:&limit=10");
    expect(first.items.map(({ name }) => name)).to.deep.equal(names.slice(0, 10));
    expect(first.total).to.equal(30);
    await client.request("leave", { channel: "room:09" });
    await client.request("leave", { channel: "room:12" });
    await client.request("join", { channel: "room:10a" });
    const second = await get(`/channels?prefix=room:&limit=10&after=${String(first.next)}`);
    expect(second.items.map(({ name }) => name)).to.deep.equal([
      "room:10",
      "room:10a",
      "room:11",
      ...names.slice(13, 20),
    ]);
    let after = String(second.next);
    const rest: unknown[] = [];
    for (;;) {
      const page = await get(`/channels?prefix=room:&limit=7&after=${after}`);
      rest.push(...page.items.map(({ name }) => name));
      if (page.next === null) break;
      after = String(page.next);
    }
    expect(rest).to.deep.equal(names.slice(20));
  });

  it("lists a channel's members in pages, with the ids of their connections", async () => {
    const members = [await member("room"), await member("room"), await member("room")];
    await members[0]?.request("update", { data: { name: "Ann" } });
    const first = await get("/channels/members?channel=room&limit=2");
    expect(first.total).to.equal(3);
    expect(first.items[0]).to.deep.include({ id: members[0]?.socket.id, data: { name: "Ann" } });
    const second = await get(`/channels/members?channel=room&limit=2&after=${String(first.next)}`);
    expect(second.items.map(({ id }) => id)).to.deep.equal([members[2]?.socket.id]);
    expect((await get("/channels/members?channel=nobody")).total).to.equal(0);
  });

  it("publishes a test message, from nobody, and writes down that it did", async () => {
    const client = await member("room");
    const message = { text: "</script><b>hi" };
    const { status, body } = await server.admin("/channels/publish", {
      method: "POST",
      body: { channel: "room", eventName: "say", message },
    });
    expect(status).to.equal(200);
    expect(body).to.have.all.keys("id", "epoch", "offset");
    expect(await client.next("say")).to.deep.include({ channel: "room", message, from: null, ...body });
    const [entry] = itemsOf((await server.admin("/audit?action=channel.published")).body);
    expect(entry).to.deep.include({ detail: '"say" to the channel "room"' });
    expect(JSON.stringify(entry)).to.not.include("hi");
  });

  it("refuses what no client could send", async () => {
    const publish = (body: unknown) => server.admin("/channels/publish", { method: "POST", body });
    for (const [body, code] of [
      [{ channel: "$sys", eventName: "say" }, "invalid_channel"],
      [{ channel: "a*", eventName: "say" }, "invalid_channel"],
      [{ channel: "a", eventName: "channel:join" }, "reserved_event"],
      [{ channel: "a", eventName: "connect" }, "reserved_event"],
      [{ channel: "a", eventName: "" }, "invalid_event_name"],
      [{ channel: "a", eventName: "\ud800" }, "invalid_event_name"],
      [{ channel: "a" }, "invalid_request"],
      [{ channel: "a", eventName: "say", from: { id: "x" } }, "invalid_request"],
      [{ channel: ["a"], eventName: "say" }, "invalid_request"],
      [null, "invalid_request"],
      [[], "invalid_request"],
    ] as const) {
      const answer = await publish(body);
      expect(answer.status, JSON.stringify(body)).to.equal(400);
      expect(answer.body["code"], JSON.stringify(body)).to.equal(code);
    }
    for (const query of ["", "?channel=", "?channel=%00", "?channel=a&channel=b", "?channel=a&limit=x"]) {
      expect((await server.admin(`/channels/members${query}`)).status, query).to.equal(400);
    }
    expect((await server.admin("/channels?limit=0")).status).to.equal(400);
  });
});
