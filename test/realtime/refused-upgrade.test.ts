import { expect } from "chai";
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

  const upgrade = (query: string, headers: readonly string[]): Promise<{ status: number; body: string }> =>
    sendRaw(
      server.port,
      rawRequest("GET", `/realtime/?${query}`, [
        "Connection: Upgrade",
        "Upgrade: websocket",
        ...headers,
      ]).replace("Connection: close\r\n", ""),
    );
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
    ["to polling is opened and closed", "EIO=4&transport=polling", [VERSION, KEY], 101],
  ];
  for (const [what, query, headers, status] of cases) {
    it(`${what} is answered with ${status} and holds no place`, async () => {
      const text = status === 101 ? closing : (): Promise<{ status: number }> => upgrade(query, headers);
      for (let i = 0; i < PLACES + 2; i += 1) expect((await text(query, headers)).status).to.equal(status);
      const { secret } = await server.createKey({ allowRealtime: true });
      const client = await new SocketClient(server.url, { apiKey: secret }).ready();
      client.close();
    });
  }

  /** The WebSocket is open and is closed at once: what came until then, after the client has said goodbye too. */
  const closing = async (query: string, headers: readonly string[]): Promise<{ status: number }> => {
    const request = rawRequest("GET", `/realtime/?${query}`, [
      "Connection: Upgrade",
      "Upgrade: websocket",
      ...headers,
    ]).replace("Connection: close\r\n", "");
    // A masked Close frame follows at once.
    const { status, body } = await sendRaw(server.port, `${request}\x88\x80\0\0\0\0`);
    expect(body.startsWith("\x88")).to.equal(true);
    return { status };
  };

  it("of an older Engine.IO says so", async () => {
    const { body } = await upgrade("EIO=3&transport=websocket", [VERSION, KEY]);
    expect(JSON.parse(body)).to.include({ code: "invalid_request", status: 400 });
  });
});
