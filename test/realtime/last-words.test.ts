import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import WebSocket from "ws";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const POLLING = "/realtime/?EIO=4&transport=polling";

describe("the end of a connection", () => {
  let server: TestServer;
  before(async () => {
    // More than two TCP connections take by themselves.
    server = await startServer({
      config: { maxOutboundBytes: 32 * 1024 * 1024, maxPendingPerAddress: 4, connectTimeoutMs: 60_000 },
    });
  });
  after(() => server.close());

  const openPolling = async (): Promise<string> => {
    const response = await fetch(server.url + POLLING);
    const { sid } = JSON.parse((await response.text()).slice(1));
    return `${POLLING}&sid=${sid}`;
  };
  const post = async (path: string, body: string): Promise<number> => {
    const headers = { "content-type": "text/plain" };
    const response = await fetch(server.url + path, { method: "POST", body, headers });
    await response.arrayBuffer();
    return response.status;
  };
  const openTcp = async (text: string): Promise<Socket> => {
    const tcp = connect(server.port, "127.0.0.1");
    tcp.on("error", () => {});
    await new Promise<void>((resolve) => tcp.write(text, () => resolve()));
    return tcp;
  };
  const head = (method: string, path: string, length = 0): string =>
    [
      `${method} ${path} HTTP/1.1`,
      "Host: a",
      "Content-Type: text/plain",
      `Content-Length: ${length}`,
      "\r\n",
    ].join("\r\n");

  it("is told to a reader that was far behind and catches up, after all that it was sent", async () => {
    const MESSAGES = 24;
    const [{ id, secret }, other] = await Promise.all([
      server.createKey({ allowRealtime: true }),
      server.createKey({ allowRealtime: true }),
    ]);
    const heard: string[] = [];
    const reader = new WebSocket(`ws://127.0.0.1:${server.port}/realtime/?EIO=4&transport=websocket`);
    const hears = (text: string): Promise<void> =>
      new Promise((resolve) => {
        const look = (data: unknown): void => {
          if (!String(data).includes(text)) return;
          reader.off("message", look);
          resolve();
        };
        reader.on("message", look);
      });
    reader.on("message", (data) => heard.push(String(data)));
    await once(reader, "open");
    const ready = hears("connection:ready");
    reader.send(`40{"apiKey":"${secret}"}`);
    await ready;
    const joined = hears("430[");
    reader.send('420["join",{"channel":"a"}]');
    await joined;
    heard.length = 0;

    reader.pause();
    const publisher = await new SocketClient(server.url, { apiKey: other.secret }).ready();
    const message = "x".repeat(500_000);
    for (let i = 0; i < MESSAGES; i += 1) {
      const sent = await publisher.request("message", { channel: "a", eventName: "m", message });
      expect(sent).to.include({ ok: true });
    }
    await server.deleteKey(id);
    const closed = once(reader, "close");
    reader.resume();
    const [code] = await closed;
    expect(heard.filter((text) => text.startsWith('42["m"')).length).to.equal(MESSAGES);
    expect(heard.slice(MESSAGES).map((text) => text.slice(0, 23))).to.deep.equal([
      '42["connection:closing"',
      "41",
    ]);
    expect(code).to.equal(1005);
    publisher.close();
  });

  it("takes no body of one who is being ended, so that none is kept", async () => {
    const path = await openPolling();
    // The second CONNECT ends it, and it may still fetch why.
    expect(await post(path, "40{}\x1e40{}")).to.equal(200);
    const tcp = await openTcp(`${head("POST", path, 1_000_000)}only the beginning`);
    const [answer] = await once(tcp, "data");
    expect(String(answer)).to.match(/^HTTP\/1.1 200 /);
    tcp.destroy();
  });

  it("of handshakes that are refused behind an answer that waits frees their places, when their TCP connection is lost", async () => {
    const path = await openPolling();
    const refused = head("GET", "/realtime/?EIO=4&transport=nope").repeat(4);
    const tcp = await openTcp(head("GET", path) + refused);
    // What it sent is read by the time that two others were answered.
    for (let i = 0; i < 2; i += 1) await (await fetch(`${server.url}/health`)).arrayBuffer();
    tcp.destroy();
    for (let i = 0; i < 3; i += 1) {
      const response = await fetch(server.url + POLLING, { signal: AbortSignal.timeout(3_000) });
      expect(response.status).to.equal(200);
      await response.arrayBuffer();
    }
  });
});
