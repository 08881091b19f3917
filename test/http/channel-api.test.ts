import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("channel API", () => {
  let server: TestServer;
  let secret: string;
  let keyId: string;
  let member: SocketClient;

  before(async () => {
    server = await startServer();
    const key = await server.createKey({ allowRealtime: true });
    secret = key.secret;
    keyId = key.id;
  });
  beforeEach(async () => {
    member = await new SocketClient(server.url, { apiKey: secret }).ready();
    await member.request("join", { channel: "chat" });
  });
  afterEach(() => member.close());
  after(() => server.close());

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json", ...headers },
    });

  it("publishes to a channel and answers with the position", async () => {
    const response = await post("/channels/publish", {
      channel: "chat",
      eventName: "say",
      message: { a: 1 },
    });
    expect(response.status).to.equal(200);
    const answer = await response.json();
    expect(answer).to.have.keys("id", "epoch", "offset");
    expect(await member.next("say")).to.deep.include({
      channel: "chat",
      message: { a: 1 },
      from: { id: null, clientId: null, key: keyId },
      ...answer,
    });
  });

  it("shows who published by the id of the key, in a batch, a broadcast, a replay and history alike", async () => {
    const from = { id: null, clientId: null, key: keyId };
    const message = { channel: "chat", eventName: "say", message: "from a batch" };
    await post("/channels/publish/batch", { messages: [message] });
    await post("/channels/broadcast", { eventName: "all" });
    const heard = await member.next("say");
    expect(heard["from"]).to.deep.equal(from);
    expect((await member.next("all"))["from"]).to.deep.equal(from);
    const { messages } = await member.request("history", { channel: "chat" });
    expect(Array.isArray(messages) && messages.at(-1)).to.deep.include({ message: "from a batch", from });
    const later = await new SocketClient(server.url, { apiKey: secret }).ready();
    const since = { epoch: heard["epoch"], offset: Number(heard["offset"]) - 1 };
    await later.request("join", { channel: "chat", since });
    expect(await later.next("say")).to.deep.include({ message: "from a batch", from });
    later.close();
  });

  it("shows a program without a key as nobody, never as the server", async () => {
    const open = await startServer({ config: { keyRequired: false } });
    const listener = await new SocketClient(open.url, {}).ready();
    await listener.request("join", { channel: "chat" });
    await fetch(`${open.url}/channels/publish`, {
      method: "POST",
      body: JSON.stringify({ channel: "chat", eventName: "say", message: 1, from: null }),
      headers: { "content-type": "application/json" },
    }).then(({ status }) => expect(status).to.equal(400));
    await fetch(`${open.url}/channels/publish`, {
      method: "POST",
      body: JSON.stringify({ channel: "chat", eventName: "say", message: 1 }),
      headers: { "content-type": "application/json" },
    });
    expect((await listener.next("say"))["from"]).to.deep.equal({ id: null, clientId: null, key: null });
    listener.close();
    await open.close();
  });

  it("broadcasts to everyone connected", async () => {
    const stranger = await new SocketClient(server.url, { apiKey: secret }).ready();
    const { id } = await (await post("/channels/broadcast", { eventName: "all", message: 5 })).json();
    for (const client of [member, stranger]) {
      expect(await client.next("all")).to.include({ channel: null, message: 5, id });
    }
    stranger.close();
  });

  it("lists members in pages", async () => {
    const get = async (query: string): Promise<unknown> =>
      (await fetch(`${server.url}/channels/members?${query}`, { headers: { "x-api-key": secret } })).json();
    expect(await get("channel=chat")).to.deep.include({ count: 1, next: null });
    expect(await get("channel=chat")).to.have.nested.property("members[0].id", member.socket.id);
    expect(await get("channel=nobody")).to.deep.equal({ members: [], count: 0, next: null });
    expect(await get("channel=chat&limit=0")).to.include({ status: 400 });
    expect(await get("channel=a*")).to.include({ code: "invalid_channel" });
    expect(await get("")).to.include({ status: 400 });
  });

  it("answers Agnost's get-members with a bare array for the bare key", async () => {
    await member.request("update", { data: { name: "Ann" } });
    for (const path of ["/env-123/agnost/realtime/get-members", "/agnost/realtime/get-members"]) {
      const response = await post(path, { channel: "chat" }, { authorization: secret });
      expect(response.status).to.equal(200);
      const members = await response.json();
      expect(members).to.be.an("array").with.length(1);
      expect(members[0]).to.deep.include({ id: member.socket.id, data: { name: "Ann" } });
    }
  });

  it("publishes in batches, each message with an answer of its own", async () => {
    const messages = [
      { channel: "chat", eventName: "b", message: 1, id: "batch-1" },
      { channel: "a*", eventName: "b" },
      { channel: "chat", eventName: "b", message: 2 },
      { channel: "chat", eventName: "b", message: 1, id: "batch-1" },
    ];
    const { results } = await (await post("/channels/publish/batch", { messages })).json();
    expect(results).to.have.length(4);
    expect(results[1]).to.have.nested.property("error.code", "invalid_channel");
    expect(results[3]).to.deep.equal(results[0]);
    expect(await member.next("b")).to.include({ message: 1 });
    expect(await member.next("b")).to.include({ message: 2 });
    expect((await post("/channels/publish/batch", { messages: [] })).status).to.equal(400);
  });

  it("pages through history, and lists channels by prefix", async () => {
    const get = async (path: string): Promise<Record<string, unknown>> =>
      (await fetch(`${server.url}${path}`, { headers: { "x-api-key": secret } })).json();
    const first = await (
      await post("/channels/publish", { channel: "kept", eventName: "h", message: 1 })
    ).json();
    await post("/channels/publish", { channel: "kept", eventName: "h", message: 2 });
    expect((await get("/channels/history?channel=kept"))["messages"])
      .to.be.an("array")
      .with.length(2);
    const rest = await get(`/channels/history?channel=kept&epoch=${first.epoch}&after=1`);
    expect(rest).to.deep.include({ offset: 2, complete: true });
    expect(rest["messages"]).to.have.nested.property("[0].message", 2);
    expect(await get("/channels/history?channel=kept&after=1")).to.include({ status: 400 });
    expect(await get("/channels?prefix=ch")).to.deep.equal({
      items: [{ channel: "chat", members: 1 }],
      next: null,
    });
    expect(await get("/channels?prefix=none")).to.deep.equal({ items: [], next: null });
    const blind = await server.createKey({
      allowRealtime: true,
      channels: [{ pattern: "**", actions: ["join"] }],
    });
    const response = await fetch(`${server.url}/channels`, { headers: { "x-api-key": blind.secret } });
    expect(await response.json()).to.deep.equal({ items: [], next: null });
  });

  it("refuses by the channel rules and by realtime itself", async () => {
    const codeOf = async (
      settings: Record<string, unknown>,
      path: string,
      body: unknown,
    ): Promise<unknown> => {
      const key = await server.createKey(settings);
      const response = await post(path, body, { authorization: `Bearer ${key.secret}` });
      return (await response.json()).code;
    };
    const say = { channel: "chat", eventName: "x" };
    expect(await codeOf({}, "/channels/publish", say)).to.equal("realtime_not_allowed");
    const rules = { allowRealtime: true, channels: [{ pattern: "news:*", actions: ["publish"] }] };
    expect(await codeOf(rules, "/channels/publish", say)).to.equal("channel_not_allowed");
    expect(await codeOf(rules, "/channels/publish", { ...say, channel: "news:1" })).to.equal(undefined);
    expect(await codeOf(rules, "/channels/broadcast", { eventName: "x" })).to.equal("channel_not_allowed");
    expect(await codeOf(rules, "/e/agnost/realtime/get-members", { channel: "news:1" })).to.equal(
      "channel_not_allowed",
    );
  });

  it("refuses what is not well-formed", async () => {
    const bad: [string, unknown, number][] = [
      ["/channels/publish", { channel: "a*", eventName: "x" }, 400],
      ["/channels/publish", { channel: "chat", eventName: "channel:join" }, 400],
      ["/channels/publish", { eventName: "x" }, 400],
      ["/channels/publish", { channel: "chat", eventName: "x", extra: 1 }, 400],
      ["/channels/publish", { channel: 5, eventName: "x" }, 400],
      ["/channels/publish", [], 400],
      ["/channels/broadcast", { channel: "chat", eventName: "x" }, 400],
    ];
    for (const [path, body, status] of bad) {
      expect((await post(path, body)).status, JSON.stringify(body)).to.equal(status);
    }
  });
});
