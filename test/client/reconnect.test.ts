import { once } from "node:events";
import { createServer } from "node:http";
import { expect } from "chai";
import { type Client, createClient, type RealtimeError } from "../../client/index.ts";
import { accept, FakeServer, next, refuseWith, textOf } from "./fake-server.ts";

describe("client reconnects", () => {
  let server: FakeServer;
  const clients: Client[] = [];

  function connect(url = server.url) {
    const client = createClient(url, "slc_test", { ackTimeoutMs: 15_000 });
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

  it("puts profile and channels back in order before it sends what was queued meanwhile", async () => {
    const realtime = connect();
    for (const channel of ["one", "two", "three"]) await realtime.join(channel);
    await realtime.leave("two");
    await realtime.updateProfile({ name: "Ada" });
    server.cut();
    const { willReconnect } = await next(realtime.onDisconnect);
    expect(willReconnect).to.equal(true);
    const sent = realtime.send("one", "say", 1);
    const joined = realtime.join("four");
    expect((await sent).error).to.equal(null);
    expect((await joined).error).to.equal(null);
    expect(server.heard(1)).to.deep.equal([
      "update",
      "join one",
      "join three",
      "join four",
      "message onesay",
    ]);
    expect(realtime.channels).to.deep.equal(["one", "three", "four"]);
  });

  it("waits for the answers to the joins before it sends what was queued", async () => {
    const realtime = connect();
    await realtime.join("one");
    server.answer = (event, payload) => (event === "join" ? undefined : accept(event, payload));
    server.cut();
    await next(realtime.onDisconnect);
    const sent = realtime.send("one", "say", 1);
    await server.until(() => server.heard(1).includes("join one"));
    server.answer = accept;
    server.cut();
    await sent;
    expect(server.heard(1)).to.deep.equal(["join one"]);
    expect(server.heard(2)).to.deep.equal(["join one", "message onesay"]);
  });

  it("fails a message whose answer was lost, and repeats a join", async () => {
    const realtime = connect();
    await realtime.open();
    server.answer = () => undefined;
    const sent = realtime.send("one", "say", 1);
    const joined = realtime.join("one");
    await server.until(() => server.heard(0).length === 2);
    server.answer = accept;
    server.cut();
    expect((await sent).error?.code).to.equal("connection_lost");
    expect((await joined).error).to.equal(null);
    expect(server.heard(1)).to.deep.equal(["join one"]);
  });

  it("drops a channel whose join is refused, and says so", async () => {
    const realtime = connect();
    await realtime.join("one");
    await realtime.join("two");
    server.answer = (event, payload) =>
      textOf(payload, "channel") === "one" ? refuseWith("channel_not_allowed") : accept(event, payload);
    server.cut();
    const error = await next(realtime.onError);
    expect(error).to.include({ code: "channel_not_allowed", channel: "one", retrying: false });
    expect(realtime.channels).to.deep.equal(["two"]);
  });

  it("tries a join again that was refused for the moment", async () => {
    const realtime = connect();
    await realtime.join("one");
    let refused = false;
    server.answer = (event, payload) => {
      if (refused) return accept(event, payload);
      refused = true;
      return refuseWith("unavailable", 10);
    };
    server.cut();
    expect(await next(realtime.onError)).to.include({ code: "unavailable", retrying: true });
    await server.until(() => server.heard(1).length === 2);
    expect(realtime.channels).to.deep.equal(["one"]);
  });

  it("does not rejoin a channel that the server closed", async () => {
    const realtime = connect();
    await realtime.join("one");
    await realtime.join("two");
    server.socket.emit("channel:closed", { channel: "one", code: "channel_not_allowed", message: "no" });
    expect(await next(realtime.onChannelClosed)).to.include({ channel: "one", code: "channel_not_allowed" });
    server.cut();
    await next(realtime.onConnect);
    await server.until(() => server.heard(1).length === 1);
    expect(server.heard(1)).to.deep.equal(["join two"]);
  });

  it("stays away after connection:closing without retry, and says why", async () => {
    const realtime = connect();
    await realtime.join("one");
    const why = { code: "realtime_not_allowed", message: "turn on realtime for this key", retry: false };
    const told = Promise.all([next(realtime.onClosing), next(realtime.onDisconnect)]);
    server.socket.emit("connection:closing", why);
    server.cut();
    const [closing, disconnect] = await told;
    expect(closing).to.deep.equal(why);
    expect(disconnect).to.include({ code: "realtime_not_allowed", status: 403, willReconnect: false });
    expect(realtime.state).to.equal("closed");
    expect((await realtime.join("two")).error?.message).to.contain("realtime_not_allowed");
  });

  it("comes back after connection:closing with retry, not before afterMs", async () => {
    const realtime = connect();
    await realtime.join("one");
    const startedAtMs = Date.now();
    server.socket.emit("connection:closing", {
      code: "server_shutdown",
      message: "",
      retry: true,
      afterMs: 80,
    });
    expect(await next(realtime.onDisconnect)).to.include({ code: "server_shutdown", willReconnect: true });
    await server.until(() => server.heard(1).length === 1);
    expect(Date.now() - startedAtMs).to.be.at.least(75);
    expect(server.heard(1)).to.deep.equal(["join one"]);
  });

  it("waits as long as the refusal of a polling request says", async () => {
    const askedAtMs: number[] = [];
    const busy = createServer((_request, response) => {
      askedAtMs.push(performance.now());
      const refusal = { status: 503, code: "server_shutdown", detail: "the server is stopping" };
      const headers = { "content-type": "application/problem+json", "retry-after": "1" };
      response.writeHead(503, headers).end(JSON.stringify(refusal));
    });
    busy.listen(0, "127.0.0.1");
    await once(busy, "listening");
    const address = busy.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { realtime } = createClient(`http://127.0.0.1:${port}`, "slc_any", { transports: ["polling"] });
    const failed = next(realtime.onError);
    void realtime.open();
    expect(await failed).to.include({ code: "server_shutdown", afterMs: 1_000, retrying: true });
    await next(realtime.onError);
    realtime.close();
    busy.close();
    expect((askedAtMs[1] ?? 0) - (askedAtMs[0] ?? 0)).to.be.at.least(990);
  });

  it("stays away when the server disconnects it without a word", async () => {
    const realtime = connect();
    await realtime.open();
    server.socket.disconnect();
    expect(await next(realtime.onDisconnect)).to.include({ code: "server_disconnect", willReconnect: false });
    expect(realtime.state).to.equal("closed");
  });

  it("does not try again with a refused key", async () => {
    const refusal = { code: "invalid_api_key", message: "not known here", status: 401 };
    server.refusal = () => refusal;
    const realtime = connect();
    const reported = next(realtime.onError);
    const waiting = realtime.join("one");
    expect((await realtime.open()).error).to.deep.equal(refusal);
    expect((await waiting).error).to.deep.equal(refusal);
    expect(await reported).to.deep.equal({ ...refusal, channel: null, retrying: false });
    expect(realtime.state).to.equal("closed");

    // Whoever tries again on purpose gets exactly one more try.
    server.refusal = () => undefined;
    expect((await realtime.open()).error).to.equal(null);
    expect(server.handshakes).to.have.length(2);
  });

  it("tries again by itself when the refusal is for the moment", async () => {
    let tries = 0;
    server.refusal = () => {
      tries += 1;
      return tries === 1 ? { code: "unavailable", message: "later", status: 503 } : undefined;
    };
    const realtime = connect();
    const errors: RealtimeError[] = [];
    realtime.onError((error) => errors.push(error));
    const opened = await realtime.open();
    expect(opened.error?.code).to.equal("unavailable");
    await next(realtime.onConnect);
    expect(errors.map(({ code, retrying }) => [code, retrying])).to.deep.equal([["unavailable", true]]);
  });

  it("reports a server that is down and connects when it is back", async () => {
    const { port, url } = server;
    await server.close();
    const realtime = connect(url);
    expect((await realtime.open()).error).to.include({ code: "network_error", status: 0 });
    const connected = next(realtime.onConnect);
    server = await FakeServer.start(port);
    await connected;
    expect(realtime.connected).to.equal(true);
  });
});
