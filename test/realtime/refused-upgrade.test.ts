import { once } from "node:events";
import { expect } from "chai";
import { WebSocket } from "ws";
import { rawRequest, sendRaw } from "../helpers/raw-http.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const PLACES = 4;

describe("a refused upgrade", () => {
  let server: TestServer;
  before(async () => {
    // A place that is not given back would be missed: nobody is timed out in time.
    server = await startServer({ config: { maxPendingPerAddress: PLACES, connectTimeoutMs: 60_000 } });
  });
  after(() => server.close());

  const upgrade = (
    query: string,
    headers: readonly string[],
    method = "GET",
  ): Promise<{ status: number; body: string }> =>
    sendRaw(
      server.port,
      rawRequest(method, `/realtime/?${query}`, [
        "Connection: Upgrade",
        "Upgrade: websocket",
        ...headers,
      ]).replace("Connection: close\r\n", ""),
    );
  /** A client of WebSockets that does what the protocol says. */
  const closedAtOnce = async (query: string): Promise<void> => {
    const repeated = new WebSocket(`ws://localhost:${server.port}/realtime/?${query}`);
    const [opened, closed] = [once(repeated, "open"), once(repeated, "close")];
    await opened;
    await closed;
  };
  const VERSION = "Sec-WebSocket-Version: 13";
  const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

  const cases: readonly (readonly [
    what: string,
    query: string,
    headers: readonly string[],
    status: number,
  ])[] = [
    ["of an older Engine.IO", "EIO=3&transport=websocket", [VERSION, KEY], 400],
    ["that names no Engine.IO", "transport=websocket", [VERSION, KEY], 400],
    ["to an unknown transport", "EIO=4&transport=pigeon", [VERSION, KEY], 400],
    ["without a WebSocket key", "EIO=4&transport=websocket", [VERSION], 400],
    ["with a key of another length", "EIO=4&transport=websocket", [VERSION, "Sec-WebSocket-Key: x"], 400],
    ["to another version of WebSocket", "EIO=4&transport=websocket", ["Sec-WebSocket-Version: 12", KEY], 400],
    ["to polling", "EIO=4&transport=polling", [VERSION, KEY], 400],
    ["to polling after all", "EIO=4&transport=websocket&transport=polling", [VERSION, KEY], 400],
    ["to no transport", "EIO=4", [VERSION, KEY], 400],
    ["by POST", "EIO=4&transport=websocket", ["Content-Length: 0", VERSION, KEY], 400],
  ];
  for (const [what, query, headers, status] of cases) {
    it(`${what} is answered with ${status} and holds no place`, async () => {
      const method = what === "by POST" ? "POST" : "GET";
      for (let i = 0; i < PLACES + 2; i += 1)
        expect((await upgrade(query, headers, method)).status).to.equal(status);
      const { secret } = await server.createKey({ allowRealtime: true });
      const client = await new SocketClient(server.url, { apiKey: secret }).ready();
      client.close();
    });
  }

  it("of a session that is upgraded, or being upgraded, is answered with 101, closed, and leaves the session as it is", async () => {
    const { secret } = await server.createKey({ allowRealtime: true });
    const client = new SocketClient(
      server.url,
      { apiKey: secret },
      { transports: ["polling", "websocket"], upgrade: false },
    );
    await client.ready();
    const { id } = client.socket.io.engine;
    const query = `EIO=4&transport=websocket&sid=${id}`;
    // It polls: this one is let in, and does nothing.
    const first = new WebSocket(`ws://localhost:${server.port}/realtime/?${query}`);
    await once(first, "open");
    await closedAtOnce(query);
    const probed = once(first, "message");
    first.send("2probe");
    expect(String((await probed)[0])).to.equal("3probe");
    first.send("5");
    await closedAtOnce(query);
    client.close();

    const direct = new SocketClient(server.url, { apiKey: secret });
    await direct.ready();
    const own = `EIO=4&transport=websocket&sid=${direct.socket.io.engine.id}`;
    // These do not answer the server's close, and are cut off.
    const repeated = await Promise.all(
      Array.from({ length: PLACES + 2 }, () => upgrade(own, [VERSION, KEY])),
    );
    for (const { status } of repeated) expect(status).to.equal(101);
    expect(await direct.request("join", { channel: "room" })).to.include({ ok: true });
    direct.close();
  });

  it("of a session with an upgrade by the book is the only one that counts", async () => {
    const base = `localhost:${server.port}/realtime/?EIO=4&transport=`;
    const handshake = await (await fetch(`http://${base}polling`)).text();
    const { sid } = JSON.parse(handshake.slice(1));
    const first = new WebSocket(`ws://${base}websocket&sid=${sid}`);
    await once(first, "open");
    first.send("2probe");
    first.send("5");
    const second = new WebSocket(`ws://${base}websocket&sid=${sid}`);
    await once(second, "close");
    const { secret } = await server.createKey({ allowRealtime: true });
    const answered = new Promise<void>((resolve) => {
      first.on("message", (data) => String(data).startsWith("40") && resolve());
    });
    first.send(`40{"apiKey":"${secret}"}`);
    await answered;
    first.terminate();
  });

  it("is none where a field is sent twice and the last one is right", async () => {
    const twice = new WebSocket(
      `ws://localhost:${server.port}/realtime/?EIO=3&EIO=4&transport=polling&transport=websocket`,
    );
    const [open] = await once(twice, "message");
    expect(String(open)).to.match(/^0\{/);
    twice.terminate();
  });

  it("of an older Engine.IO says so", async () => {
    const { body } = await upgrade("EIO=3&transport=websocket", [VERSION, KEY]);
    expect(JSON.parse(body)).to.include({ code: "invalid_request", status: 400 });
  });
});
