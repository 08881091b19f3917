import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { WebSocket } from "ws";
import { startServer, type TestServer } from "../../helpers/server.ts";
import { SocketClient } from "../../helpers/socket-client.ts";

const POLLING = "/realtime/?EIO=4&transport=polling";
const UPGRADE = [
  "GET /realtime/?EIO=4&transport=websocket HTTP/1.1",
  "Host: localhost",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "\r\n",
].join("\r\n");

/** The head of a masked WebSocket frame, without its body. */
function frameHead(opcode: number, isLast: boolean, length: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = (isLast ? 0x80 : 0) | opcode;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

describe("what a client may send before CONNECT was accepted", () => {
  let server: TestServer;
  let secret: string;
  before(async () => {
    server = await startServer();
    secret = (await server.createKey({ allowRealtime: true })).secret;
  });
  after(() => server.close());

  /** All that comes until the server ends it. */
  const until = async (socket: Socket): Promise<string> => {
    let heard = "";
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    await once(socket, "close");
    return heard;
  };

  it("is refused by the length of its frame, of which no byte has come", async () => {
    const socket = connect(server.port, "127.0.0.1");
    const heard = until(socket);
    // Together with the upgrade, so that the server has no time to set anything up.
    socket.write(Buffer.concat([Buffer.from(UPGRADE), frameHead(0x1, true, 16 * 1024 + 1)]));
    expect(await heard)
      .to.include('"code":"payload_too_large"')
      .and.to.include("16384 bytes");
  });

  it("is bounded over all the fragments of a message", async () => {
    const socket = connect(server.port, "127.0.0.1");
    const heard = until(socket);
    socket.write(UPGRADE);
    const part = Buffer.alloc(8 * 1024, "x");
    for (let i = 0; i < 3; i += 1)
      socket.write(Buffer.concat([frameHead(i === 0 ? 0x1 : 0x0, false, part.length), part]));
    expect(await heard).to.include('"code":"payload_too_large"');
  });

  it("is refused by its Content-Length, and the next poll says so as well", async () => {
    const opened = await (await fetch(`${server.url}${POLLING}`)).text();
    const path = `${POLLING}&sid=${/"sid":"([^"]+)"/.exec(opened)?.[1]}`;
    const poll = fetch(`${server.url}${path}`).then((response) => response.text());
    const socket = connect(server.port, "127.0.0.1");
    const heard = until(socket);
    socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16385\r\n\r\n40`);
    expect(await heard)
      .to.match(/^HTTP\/1\.1 413 /)
      .and.to.include('"code":"payload_too_large"');
    expect(await poll).to.match(/^44\{.*"code":"payload_too_large"/);
  });

  it("is counted where no length is said", async () => {
    const opened = await (await fetch(`${server.url}${POLLING}`)).text();
    const path = `${POLLING}&sid=${/"sid":"([^"]+)"/.exec(opened)?.[1]}`;
    const request = httpRequest(`${server.url}${path}`, { method: "POST" });
    request.on("error", () => {});
    const answered = once(request, "response");
    for (let i = 0; i < 5; i += 1) request.write("4".repeat(4 * 1024));
    const [response] = await answered;
    expect(response.statusCode).to.equal(413);
    request.destroy();
  });

  it("is bounded in all", async () => {
    const socket = new WebSocket(`ws://localhost:${server.port}/realtime/?EIO=4&transport=websocket`);
    const closed = once(socket, "close");
    const heard: string[] = [];
    socket.on("message", (data) => heard.push(String(data)));
    await once(socket, "open");
    for (let i = 0; i < 1_000; i += 1) socket.send("3");
    await closed;
    expect(heard.join()).to.include('"code":"payload_too_large"');
  });

  for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
    it(`leaves a mebibyte to whoever has connected over ${transports.join(" and ")}`, async () => {
      // As long as a key, a resume token and a user's token are together.
      const token = "x".repeat(12_000);
      const client = new SocketClient(server.url, { apiKey: secret, token }, { transports });
      await client.ready();
      while (client.socket.io.engine.transport.name !== transports.at(-1)) await client.settle();
      await client.request("join", { channel: "large" });
      const message = "x".repeat(1_000_000);
      expect(await client.request("message", { channel: "large", eventName: "x", message })).to.include({
        ok: true,
      });
      expect((await client.next("x"))["message"]).to.equal(message);
      client.close();
    });
  }
});
