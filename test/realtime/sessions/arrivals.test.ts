import { once } from "node:events";
import { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { queryObjects } from "node:v8";
import { expect } from "chai";
import { WebSocket } from "ws";
import { rawRequest, sendRaw } from "../../helpers/raw-http.ts";
import { startServer, type TestServer } from "../../helpers/server.ts";

const POLLING = "/realtime/?EIO=4&transport=polling";
const PLACES = 4;

describe("handshakes that wait for a place", () => {
  let server: TestServer;
  const sockets: (Socket | WebSocket)[] = [];
  const start = async (config: { maxPendingPerAddress: number; connectTimeoutMs: number }): Promise<void> => {
    server = await startServer({ config });
  };
  afterEach(async () => {
    for (const socket of sockets.splice(0)) "terminate" in socket ? socket.terminate() : socket.destroy();
    await server.close();
  });
  /** One that says nothing and holds a place. */
  const silent = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://localhost:${server.port}/realtime/?EIO=4&transport=websocket`);
    sockets.push(socket);
    socket.on("error", () => {});
    await once(socket, "open");
    return socket;
  };
  const keptAlive = (target: string): string =>
    rawRequest("GET", target).replace("Connection: close\r\n", "");

  it("are not kept with their requests once they are refused, behind an answer that is never sent", async () => {
    await start({ maxPendingPerAddress: 1, connectTimeoutMs: 400 });
    const { secret } = await server.createKey({ allowRealtime: true });
    const opened = await fetch(server.url + POLLING);
    const { sid } = JSON.parse((await opened.text()).slice(1));
    const session = `${POLLING}&sid=${sid}`;
    const auth = `40${JSON.stringify({ apiKey: secret })}`;
    await (await fetch(server.url + session, { method: "POST", body: auth })).text();
    await (await fetch(server.url + session)).text();
    await silent();
    const before = queryObjects(IncomingMessage, { format: "count" });

    const tcp = connect(server.port, "127.0.0.1");
    sockets.push(tcp);
    const ended = once(tcp, "close");
    // Nothing is there for this poll: what is asked behind it is never answered.
    tcp.write(keptAlive(session) + keptAlive(POLLING).repeat(10));
    // Its pipelined requests are being waited with by now; a later one of the address is refused after them.
    expect((await sendRaw(server.port, rawRequest("GET", POLLING))).status).to.be.oneOf([200, 429]);
    tcp.destroy();
    await ended;
    let left = Number.POSITIVE_INFINITY;
    // Those that were let in after all go within their time to connect.
    for (let attempt = 0; attempt < 200 && left > before; attempt += 1) {
      await turn();
      left = queryObjects(IncomingMessage, { format: "count" });
    }
    expect(left).to.be.at.most(before);
  });

  const refusals = [
    ["by ws, in the turn in which it is theirs", "EIO=4&transport=websocket", "x"],
    ["for what they ask for, whenever it is theirs", "EIO=4&transport=pigeon", "dGhlIHNhbXBsZSBub25jZQ=="],
  ];
  for (const [how, query, key] of refusals) {
    it(`may be thousands that are refused ${how}`, async function () {
      this.timeout(60_000);
      await start({ maxPendingPerAddress: PLACES, connectTimeoutMs: 30_000 });
      const holders: WebSocket[] = [];
      for (let i = 0; i < PLACES; i += 1) holders.push(await silent());
      const upgrade = rawRequest("GET", `/realtime/?${query}`, [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        `Sec-WebSocket-Key: ${key}`,
      ]).replace("Connection: close\r\n", "");
      const answers = Array.from({ length: 2_500 }, () => sendRaw(server.port, upgrade));
      for (let i = 0; i < 20; i += 1) await (await fetch(`${server.url}/healthz`)).text();
      holders[0]?.terminate();
      const statuses = new Set((await Promise.all(answers)).map(({ status }) => status));
      expect([...statuses]).to.deep.equal([400]);
      await silent();
    });
  }
});
