import { expect } from "chai";
import { type Client, type ClientOptions, createClient, type IncomingMessage } from "../../client/index.ts";
import { FakeServer, next, refuseWith, textOf } from "./fake-server.ts";

describe("client realtime", () => {
  let server: FakeServer;
  const clients: Client[] = [];

  function connect(options: ClientOptions = {}) {
    const client = createClient(server.url, "slc_test", options);
    clients.push(client);
    return client.realtime;
  }

  beforeEach(async () => {
    server = await FakeServer.start();
  });

  afterEach(async () => {
    for (const { realtime } of clients.splice(0)) realtime.close();
    await server.close();
  });

  it("opens at the first use and not before", async () => {
    const realtime = connect();
    expect(realtime.state).to.equal("idle");
    expect(await realtime.join("lobby")).to.deep.equal({
      data: { channel: "lobby", epoch: "e1", offset: 0, recovered: false },
      error: null,
    });
    expect(realtime.connected).to.equal(true);
    expect(realtime.id).to.equal(server.socket.id);
    expect(realtime.clientId).to.equal("client-0");
    expect(realtime.channels).to.deep.equal(["lobby"]);
    expect(server.handshakes).to.deep.equal([{ apiKey: "slc_test", echoMessages: true }]);
  });

  it("leaves opening to open() with autoOpen: false", async () => {
    const realtime = connect({ autoOpen: false, echoMessages: false });
    expect((await realtime.join("lobby")).error?.code).to.equal("not_connected");
    expect((await realtime.open()).data).to.deep.equal({ id: server.socket.id, clientId: "client-0" });
    expect(server.handshakes[0]?.["echoMessages"]).to.equal(false);
  });

  it("sends the payloads of the protocol and returns their answers", async () => {
    const realtime = connect();
    expect((await realtime.send("lobby", "say", "hi", { echo: false })).data).to.deep.equal({
      id: "m1",
      epoch: "e1",
      offset: 1,
    });
    await realtime.broadcast("news", undefined);
    await realtime.updateProfile({ name: "Ada" });
    const page = await realtime.getMembers("lobby", { limit: 5 });
    expect(page.data?.members).to.deep.equal([{ id: "a", clientId: "b", data: { name: "Ada" } }]);
    await realtime.leave("lobby");
    const [first] = server.received;
    const id = textOf(first?.payload, "id");
    expect(id).to.match(/^[0-9a-f]{32}$/);
    expect(server.received.map(({ event, payload }) => [event, payload])).to.deep.equal([
      ["message", { channel: "lobby", eventName: "say", message: "hi", echo: false, id }],
      ["message", { eventName: "news", message: null }],
      ["update", { data: { name: "Ada" } }],
      ["members", { channel: "lobby", limit: 5 }],
      ["leave", { channel: "lobby" }],
    ]);
  });

  it("resolves refusals as errors with the code, the status and the message", async () => {
    const realtime = connect();
    server.answer = () => refuseWith("channel_not_allowed", 50);
    expect(await realtime.join("secret")).to.deep.equal({
      data: null,
      error: {
        code: "channel_not_allowed",
        status: 403,
        message: "because channel_not_allowed",
        afterMs: 50,
      },
    });
    expect(realtime.channels).to.deep.equal([]);
    server.answer = () => "nonsense";
    expect((await realtime.send("lobby", "say", 1)).error?.code).to.equal("unexpected_answer");
  });

  it("never sends what cannot be sent, and never turns a bad channel into a broadcast", async () => {
    const realtime = connect();
    const ring: unknown[] = [];
    ring.push(ring);
    const answers = [
      await realtime.send("", "say", 1),
      await realtime.send("lobby", "connect", 1),
      await realtime.broadcast("channel:join", 1),
      await realtime.broadcast("say", 1n),
      await realtime.send("lobby", "say", ring),
    ];
    expect(answers.map(({ error }) => error?.code)).to.deep.equal([
      "invalid_channel",
      "reserved_event",
      "reserved_event",
      "invalid_payload",
      "invalid_payload",
    ]);
    expect(server.received).to.deep.equal([]);
  });

  it("gives up on an answer that does not come", async () => {
    const realtime = connect({ ackTimeoutMs: 50 });
    await realtime.open();
    server.answer = () => undefined;
    expect((await realtime.send("lobby", "say", 1)).error).to.include({ code: "ack_timeout", status: 0 });
  });

  it("bounds what waits for the connection", async () => {
    const realtime = connect({ maxQueuedCalls: 2 });
    const results = await Promise.all([1, 2, 3].map((each) => realtime.send("lobby", "say", each)));
    expect(results.map(({ error }) => error?.code ?? null)).to.deep.equal([null, null, "queue_full"]);
  });

  it("delivers messages and broadcasts under their event names, off and once included", async () => {
    const realtime = connect();
    const seen: string[] = [];
    const note = (label: string) => (message: IncomingMessage) => seen.push(`${label} ${message.message}`);
    const kept = note("kept");
    const stop = realtime.on("say", note("stopped"));
    realtime.on("say", kept);
    realtime.once("say", note("once"));
    realtime.on("__proto__", note("proto"));
    await realtime.open();
    const say = (message: number) =>
      server.socket.emit("say", { channel: "lobby", message, id: `${message}` });

    say(1);
    server.socket.emit("__proto__", { channel: null, message: 2 });
    await next<IncomingMessage>((fn) => realtime.on("__proto__", fn));
    stop();
    say(3);
    await next<IncomingMessage>((fn) => realtime.on("say", fn));
    realtime.off("say", kept);
    say(4);
    const last = await next<IncomingMessage>((fn) => realtime.on("say", fn));

    expect(last).to.include({ channel: "lobby", message: 4, id: "4" });
    expect(seen).to.deep.equal(["stopped 1", "kept 1", "once 1", "proto 2", "kept 3"]);
  });

  it("tells who sent a message, and takes nobody but `null` for the server", async () => {
    const realtime = connect();
    await realtime.open();
    const http = { id: null, clientId: null, key: "key_1" };
    const unknown = { id: null, clientId: null, key: null };
    for (const [from, expected] of [
      [
        { id: "a", clientId: "b" },
        { id: "a", clientId: "b" },
      ],
      [http, http],
      [unknown, unknown],
      [null, null],
      [undefined, unknown],
      [{ id: null, clientId: null, user: "later" }, unknown],
      ["server", unknown],
    ]) {
      const heard = next<IncomingMessage>((fn) => realtime.once("say", fn));
      server.socket.emit("say", { channel: "lobby", message: 1, from });
      expect((await heard).from).to.deep.equal(expected);
    }
  });

  it("refuses to listen to names that nobody can send", () => {
    const realtime = connect();
    for (const name of ["connect", "disconnect", "newListener", "connection:ready", "channel:join"]) {
      expect(() => realtime.on(name, () => {})).to.throw(TypeError, name);
    }
  });

  it("tells of joins, leaves, updates, numbers of members, gaps and errors without an ack", async () => {
    const realtime = connect();
    await realtime.open();
    const member = { channel: "lobby", message: { id: "a", clientId: "b", data: null } };
    const count = { channel: "lobby", count: 501, mode: "counts" };
    const gap = { channel: "lobby", epoch: "e1", after: 3, before: 9, reason: "trimmed" };
    const all = Promise.all([
      next(realtime.onJoin),
      next(realtime.onUpdate),
      next(realtime.onLeave),
      next(realtime.onCount),
      next(realtime.onGap),
      next(realtime.onError),
    ]);
    server.socket.emit("channel:join", member);
    server.socket.emit("channel:update", member);
    server.socket.emit("channel:leave", member);
    server.socket.emit("channel:presence", "odd");
    server.socket.emit("channel:presence", count);
    server.socket.emit("channel:gap", gap);
    server.socket.emit("channel:error", {
      event: "join",
      channel: "x",
      code: "invalid_channel",
      message: "no",
    });
    expect(await all).to.deep.equal([
      member,
      member,
      member,
      count,
      gap,
      { code: "invalid_channel", status: 400, message: "no", channel: "x", retrying: false },
    ]);
  });

  it("reports a listener that throws as uncaught, after the others were called", async () => {
    const realtime = connect();
    await realtime.open();
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const uncaught = new Promise<Error>((resolve) => process.once("uncaughtException", resolve));
      realtime.on("say", () => {
        throw new Error("mine");
      });
      const other = next<IncomingMessage>((fn) => realtime.on("say", fn));
      server.socket.emit("say", { channel: "lobby", message: 1 });
      expect((await other).message).to.equal(1);
      expect((await uncaught).message).to.equal("mine");
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });

  it("ends waiting calls when it is closed, and opens again with its channels", async () => {
    const realtime = connect();
    await realtime.join("lobby");
    server.answer = () => undefined;
    const waiting = realtime.send("lobby", "say", 1);
    await server.until(() => server.heard(0).length === 2);
    realtime.close();
    expect((await waiting).error?.code).to.equal("client_close");
    expect((await realtime.join("other")).error?.message).to.contain("call open()");
    await realtime.open();
    await server.until(() => server.heard(1).length === 1);
    expect(server.heard(1)).to.deep.equal(["join lobby"]);
    expect(textOf(server.handshakes[1], "resume")).to.equal("resume-0");
  });
});
