import { expect } from "chai";
import { WebSocket } from "ws";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("hostile input over sockets", () => {
  let server: TestServer;
  let secret: string;
  let client: SocketClient;

  before(async () => {
    server = await startServer();
    secret = (await server.createKey({ allowRealtime: true })).secret;
  });
  beforeEach(async () => {
    client = await new SocketClient(server.url, { apiKey: secret }).ready();
  });
  afterEach(() => client.close());
  after(() => server.close());

  const codeOf = async (event: string, payload: unknown): Promise<unknown> => {
    const { ok, error } = await client.request(event, payload);
    expect(ok).to.equal(false);
    return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  };

  it("refuses names that are no channels", async () => {
    const names: unknown[] = [
      "",
      " a",
      "a ",
      "a*",
      "*",
      "$all",
      "a\u0000b",
      "a\nb",
      "\ud800",
      "x".repeat(201),
      5,
      null,
      {},
      [],
      true,
      undefined,
    ];
    for (const channel of names) {
      expect(await codeOf("join", { channel }), JSON.stringify(channel)).to.equal("invalid_channel");
    }
    expect(await codeOf("message", { channel: null, eventName: "a" })).to.equal("invalid_channel");
    const longest = "x".repeat(200);
    expect(await client.request("join", { channel: longest })).to.include({ ok: true, channel: longest });
    const oneMegabyte = "x".repeat(1_000_000);
    expect(await codeOf("join", { channel: oneMegabyte })).to.equal("invalid_channel");
  });

  it("refuses reserved event names and what is no name", async () => {
    for (const eventName of [
      "connect",
      "disconnect",
      "connect_error",
      "channel:join",
      "connection:ready",
      "server:x",
      "user:y",
      "newListener",
    ]) {
      expect(await codeOf("message", { channel: "c", eventName }), eventName).to.equal("reserved_event");
    }
    for (const eventName of ["", "a\u0001", 5, null, {}, "x".repeat(1000), undefined]) {
      expect(await codeOf("message", { channel: "c", eventName, message: 1 })).to.equal("invalid_event_name");
    }
  });

  it("refuses payloads of wrong types and unknown events", async () => {
    for (const payload of [null, 5, "text", [], [{ channel: "a" }], true, Buffer.from("x")]) {
      for (const event of ["join", "leave", "message", "update", "members"]) {
        expect(await codeOf(event, payload)).to.equal("invalid_payload");
      }
    }
    expect(await codeOf("join", { channel: "a", echo: "yes" })).to.equal("invalid_payload");
    expect(await codeOf("members", { channel: "a", limit: 0 })).to.equal("invalid_payload");
    expect(await codeOf("members", { channel: "a", limit: 1.5 })).to.equal("invalid_payload");
    expect(await codeOf("members", { channel: "a", after: {} })).to.equal("invalid_payload");
    expect(await codeOf("message", { channel: "a", eventName: "x", id: 7 })).to.equal("invalid_payload");
    expect(await codeOf("no such event", {})).to.equal("unknown_event");
    expect(await codeOf("toString", {})).to.equal("unknown_event");
    expect(await codeOf("error", {})).to.equal("unknown_event");
  });

  it("refuses positions that are none", async () => {
    const positions = [
      5,
      "x",
      [],
      {},
      { epoch: 1, offset: 1 },
      { epoch: "e", offset: -1 },
      { epoch: "e", offset: 1.5 },
    ];
    for (const position of [
      ...positions,
      { epoch: "e", offset: "1" },
      { epoch: "x".repeat(101), offset: 1 },
    ]) {
      expect(await codeOf("join", { channel: "a", since: position })).to.equal("invalid_payload");
      expect(await codeOf("history", { channel: "a", after: position })).to.equal("invalid_payload");
    }
    expect(await codeOf("history", { channel: "a", limit: 0 })).to.equal("invalid_payload");
    expect(await codeOf("history", { channel: "a*" })).to.equal("invalid_channel");
  });

  it("says a refusal by channel:error where there was no acknowledgement", async () => {
    client.socket.emit("message", { channel: "c*", eventName: "x" });
    expect(await client.next("channel:error")).to.include({
      event: "message",
      channel: "c*",
      code: "invalid_channel",
    });
    client.socket.emit("join");
    expect(await client.next("channel:error")).to.include({
      event: "join",
      channel: null,
      code: "invalid_payload",
    });
  });

  it("treats __proto__ and constructor as text", async () => {
    const raw =
      '{"channel":"c","eventName":"x","message":{"__proto__":{"polluted":1}},"__proto__":{"echo":5}}';
    const payload: unknown = JSON.parse(raw);
    expect(await client.request("message", payload)).to.include({ ok: true });
    expect(await client.request("join", { channel: "__proto__" })).to.include({
      ok: true,
      channel: "__proto__",
    });
    expect(await client.request("join", { channel: "constructor" })).to.include({ ok: true });
    expect({}).to.not.have.property("polluted");
  });

  it("refuses a message or a profile that is nested too deep or too heavy", async () => {
    const deep: unknown = JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`);
    expect(await codeOf("message", { channel: "c", eventName: "x", message: deep })).to.equal(
      "invalid_payload",
    );
    expect(await codeOf("update", { data: deep })).to.equal("invalid_payload");
    expect(await codeOf("update", { data: "x".repeat(20_000) })).to.equal("payload_too_large");
  });

  const packets: [string, string][] = [
    ["a packet of an unknown type", "49"],
    ["broken JSON", '42["join",{'],
    ["an event without a name", "42[]"],
    ["an event whose name is an object", '42[{"a":1}]'],
    ["a reserved event", '42["disconnect"]'],
    ["another reserved event", '42["newListener","x"]'],
    ["an acknowledgement nobody waits for", "439999[1]"],
    ["a binary event without its attachments", '452-["join",{"_placeholder":true,"num":9}]'],
    ["a binary event with a monstrous count", '45999999999-["x"]'],
    ["an engine packet of no type", "9"],
    ["nothing", ""],
    ["a number as an event name", '42[5,{"channel":"c"}]'],
    ["the event error", '42["error",{"a":1}]'],
    ["deep nesting", `42["message",${"[".repeat(100_000)}${"]".repeat(100_000)}]`],
  ];
  for (const [what, packet] of packets) {
    it(`lives through ${what}`, async () => {
      const socket = new WebSocket(`ws://localhost:${server.port}/realtime/?EIO=4&transport=websocket`);
      const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      socket.on("error", () => {});
      const connected = new Promise<void>((resolve) => {
        socket.on("message", (data) => {
          const text = String(data);
          if (text.startsWith("0{")) socket.send(`40{"apiKey":"${secret}"}`);
          if (text.startsWith('42["connection:ready"')) resolve();
          if (text.startsWith("431")) socket.close();
        });
      });
      await connected;
      socket.send(packet);
      // Either the server ends it, or it still answers.
      socket.send('421["members",{"channel":"c"}]');
      await ended;
      expect(await client.request("members", { channel: "c" })).to.include({ ok: true });
    });
  }

  it("closes a connection that sends more than a payload may have", async () => {
    const big = await new SocketClient(server.url, { apiKey: secret }).ready();
    big.socket.emit("message", { channel: "c", eventName: "x", message: "x".repeat(1_100_000) });
    await big.next("disconnect");
    expect(await client.request("members", { channel: "c" })).to.include({ ok: true });
  });

  it("refuses one attachment in more places than receivers take", async () => {
    const member = await new SocketClient(server.url, { apiKey: secret }).ready();
    await member.request("join", { channel: "copies" });
    const socket = new WebSocket(`ws://localhost:${server.port}/realtime/?EIO=4&transport=websocket`);
    const answer = new Promise<string>((resolve) => {
      socket.on("message", (data) => {
        const text = String(data);
        if (text.startsWith("0{")) socket.send(`40{"apiKey":"${secret}"}`);
        if (text.startsWith('42["connection:ready"')) {
          const places = Array.from({ length: 11 }, () => ({ _placeholder: true, num: 0 }));
          const payload = { channel: "copies", eventName: "x", message: places };
          socket.send(`451-1${JSON.stringify(["message", payload])}`);
          socket.send(Buffer.alloc(10));
        }
        if (text.startsWith("431")) resolve(text);
      });
    });
    expect(await answer).to.include('"invalid_payload"');
    socket.close();
    await member.settle();
    expect(member.pending("x")).to.deep.equal([]);
    member.close();
  });

  it("refuses binary values that together exceed a payload", async () => {
    const half = Buffer.alloc(600_000);
    expect(await codeOf("message", { channel: "c", eventName: "x", message: [half, half] })).to.equal(
      "payload_too_large",
    );
    expect(await codeOf("update", { data: { half } })).to.equal("payload_too_large");
  });
});
