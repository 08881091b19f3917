import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import { connect as connectTcp, Socket } from "node:net";
import { expect } from "chai";
import { Link } from "../helpers/link.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("slow consumers", () => {
  let server: TestServer;
  let key: { id: string; secret: string };

  before(async () => {
    server = await startServer({ config: { maxUnreadMs: 300 } });
    key = await server.createKey({ allowRealtime: true });
  });
  after(() => server.close());

  /** A WebSocket by hand that joins `slow` and then reads nothing more. */
  const stalled = (
    extra: (socket: Socket, frame: (text: string) => void) => void = () => {},
  ): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connectTcp(server.port, "127.0.0.1");
      const frame = (text: string): void => {
        const body = Buffer.from(text);
        const length =
          body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 255];
        socket.write(Buffer.concat([Buffer.from([0x81, ...length, 0, 0, 0, 0]), body]));
      };
      let text = "";
      let step = 0;
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        if (step === 0 && text.includes("0{")) {
          step = 1;
          frame(`40{"apiKey":"${key.secret}"}`);
        } else if (step === 1 && text.includes("connection:ready")) {
          step = 2;
          frame('420["join",{"channel":"slow"}]');
        } else if (step === 2 && text.includes("430[")) {
          step = 3;
          socket.pause();
          extra(socket, frame);
          resolve(socket);
        }
      });
      socket.write(
        [
          "GET /realtime/?EIO=4&transport=websocket HTTP/1.1",
          "Host: localhost",
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
          "\r\n",
        ].join("\r\n"),
      );
    });

  it("are cut off at a bound, and others do not wait for them", async () => {
    const readers = await Promise.all(Array.from({ length: 10 }, () => stalled()));
    const other = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    await other.request("join", { channel: "slow" });
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 60; i += 1) {
      const sent = await other.request("message", {
        channel: "slow",
        eventName: "x",
        message: "x".repeat(400_000),
      });
      expect(sent).to.include({ ok: true });
    }
    for (let i = 0; i < 60; i += 1) await other.next("x");
    const count = async () => (await other.request("members", { channel: "slow" }))["count"];
    while ((await count()) !== 1) await other.settle();
    // Ten readers times 24 MB would have been queued without a bound.
    expect(process.memoryUsage().rss - before).to.be.below(160_000_000);
    for (const reader of readers) reader.destroy();
    other.close();
  });

  it("lose their TCP connection within a second of their end, whatever else they tried", async () => {
    const victim = await server.createKey({ allowRealtime: true });
    key = victim;
    const reader = await stalled((_socket, frame) => frame('421["members",{"channel":"slow"}]'));
    const serverSide = new Promise<void>((resolve) => {
      reader.once("close", () => resolve());
    });
    await server.deleteKey(victim.id);
    const at = performance.now();
    reader.resume();
    await serverSide;
    expect(performance.now() - at).to.be.below(2_000);
  });

  it("lose the TCP connection of a poll whose answer they do not read", async () => {
    const { secret } = await server.createKey({ allowRealtime: true });
    const other = await new SocketClient(server.url, { apiKey: secret }).ready();
    await other.request("join", { channel: "polled" });
    const poller = await openPolling(server.url, secret, "polled");
    await other.next("channel:join", (payload) => !JSON.stringify(payload).includes(other.socket.id ?? ""));
    const say = () =>
      other.request("message", { channel: "polled", eventName: "x", message: "x".repeat(900_000) });
    await say();
    await say();
    const accepted = new Promise<Socket>((resolve) => {
      const take = (message: unknown): void => {
        const socket: unknown =
          typeof message === "object" && message !== null ? Reflect.get(message, "socket") : undefined;
        if (!(socket instanceof Socket) || socket.remotePort !== reader.localPort) return;
        diagnostics.unsubscribe("net.server.socket", take);
        resolve(socket);
      };
      diagnostics.subscribe("net.server.socket", take);
    });
    const reader = connectTcp(server.port, "127.0.0.1");
    reader.on("error", () => {});
    reader.pause();
    reader.write(`GET ${poller.path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const serverSide = await accepted;
    // More than it may leave unread, should the system take the whole answer: it never reads it, nor asks again.
    for (let i = 0; i < 4; i += 1) await say();
    await other.next("channel:leave");
    const at = performance.now();
    expect(serverSide.destroyed).to.equal(false);
    await once(serverSide, "close");
    expect(performance.now() - at).to.be.below(2_500);
    reader.destroy();
    other.close();
  });

  for (const what of ["again", "for what there is not"] as const) {
    it(`are those who leave the answer to a poll unread and ask ${what}`, async () => {
      // More than two TCP connections take by themselves.
      const roomy = await startServer({ config: { maxOutboundBytes: 16 * 1024 * 1024, maxUnreadMs: 100 } });
      const { secret } = await roomy.createKey({ allowRealtime: true });
      const other = await new SocketClient(roomy.url, { apiKey: secret }).ready();
      await other.request("join", { channel: "many" });
      const poller = await openPolling(roomy.url, secret, "many");
      await (await fetch(`${roomy.url}${poller.path}`)).text();
      const serverSides = new Map<number, Socket>();
      const note = (message: unknown): void => {
        const socket: unknown = Reflect.get(Object(message), "socket");
        if (socket instanceof Socket && socket.remotePort !== undefined)
          serverSides.set(socket.remotePort, socket);
      };
      diagnostics.subscribe("net.server.socket", note);
      const readers: Socket[] = [];
      /** Poll on a TCP connection of its own, and read nothing of the answer. */
      const ask = async (): Promise<Socket | undefined> => {
        const reader = connectTcp(roomy.port, "127.0.0.1");
        readers.push(reader);
        reader.on("error", () => {});
        reader.pause();
        // What is answered after the session has ended closes by itself.
        reader.write(`GET ${poller.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
        await once(reader, "connect");
        await other.settle();
        return serverSides.get(reader.localPort ?? 0);
      };
      const message = "x".repeat(900_000);
      const isOut = () => other.pending("channel:leave").length > 0;
      let unread = 0;
      while (!isOut() && unread < 4) {
        for (let i = 0; i < 12; i += 1)
          await other.request("message", { channel: "many", eventName: "x", message });
        const asked = await ask();
        for (let turn = 0; turn < 200 && !isOut() && asked?.writableLength === 0; turn += 1)
          await other.settle();
        unread += 1;
        if (what === "again") await ask();
        else await (await fetch(`${roomy.url}${poller.path.replace("polling", "websocket")}`)).text();
      }
      diagnostics.unsubscribe("net.server.socket", note);
      expect(unread).to.be.at.most(2);
      for (const { localPort } of readers) {
        const serverSide = serverSides.get(localPort ?? 0);
        if (serverSide?.destroyed === false) await once(serverSide, "close");
      }
      for (const reader of readers) reader.destroy();
      other.close();
      await roomy.close();
    }).timeout(30_000);
  }

  it("are not those who take their time between polls and read everything", async () => {
    const { secret } = await server.createKey({ allowRealtime: true });
    const other = await new SocketClient(server.url, { apiKey: secret }).ready();
    await other.request("join", { channel: "leisure" });
    const poller = await openPolling(server.url, secret, "leisure");
    await other.next("channel:join", (payload) => !JSON.stringify(payload).includes(other.socket.id ?? ""));
    const heard: number[] = [];
    const read = async (): Promise<void> => {
      const response = await fetch(`${server.url}${poller.path}`);
      expect(response.status).to.equal(200);
      for (const [, number] of (await response.text()).matchAll(/"message":"(\d+) /g))
        heard.push(Number(number));
    };
    let said = 0;
    // Between two polls less than it may leave unread; with the answer before it, which it has read, more.
    for (let round = 0; round < 4; round += 1) {
      for (let i = 0; i < 3; i += 1) {
        const message = `${said++} ${"x".repeat(300_000)}`;
        await other.request("message", { channel: "leisure", eventName: "x", message });
      }
      await read();
    }
    expect(heard).to.deep.equal(Array.from({ length: said }, (_, index) => index));
    expect(other.pending("channel:leave")).to.deep.equal([]);
    other.close();
  });

  it("are those who poll no more: they are out when they have left too much, and may hear why", async () => {
    const { secret } = await server.createKey({ allowRealtime: true });
    const other = await new SocketClient(server.url, { apiKey: secret }).ready();
    await other.request("join", { channel: "gone quiet" });
    const poller = await openPolling(server.url, secret, "gone quiet");
    await other.next("channel:join", (payload) => !JSON.stringify(payload).includes(other.socket.id ?? ""));
    const message = "x".repeat(300_000);
    // 1 MiB, the message that exceeds it, and one more.
    for (let i = 0; i < 5; i += 1)
      await other.request("message", { channel: "gone quiet", eventName: "x", message });
    await other.next("channel:leave");
    // Whoever asks after all, within the second, hears why, and soon nothing after that.
    const farewell = await (await fetch(`${server.url}${poller.path}`)).text();
    expect(farewell).to.include("slow_consumer");
    const statuses = [200];
    while (statuses.at(-1) === 200 && statuses.length < 5)
      statuses.push((await fetch(`${server.url}${poller.path}`)).status);
    expect(statuses.at(-1)).to.equal(400);
    other.close();
  });

  it("are those who send requests and do not read the answers", async () => {
    key = await server.createKey({ allowRealtime: true });
    const watcher = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    await watcher.request("join", { channel: "slow" });
    const reader = await stalled((_socket, frame) => {
      // Each answer is larger than its question: an unknown event without acknowledgement.
      for (let i = 0; i < 60_000; i += 1) frame(`42["${"e".repeat(40)}"]`);
    });
    await watcher.next("channel:leave");
    reader.destroy();
    watcher.close();
  }).timeout(30_000);

  it("who join and read nothing are not read either, and lose nothing of what they send meanwhile", async () => {
    key = await server.createKey({ allowRealtime: true });
    const other = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    let position: Record<string, unknown> = {};
    // More than the buffers of two TCP connections take.
    for (let i = 0; i < 40; i += 1) {
      const message = "x".repeat(900_000);
      position = await other.request("message", { channel: "long", eventName: "x", message });
    }
    const accepted: Socket[] = [];
    const note = (message: unknown): void => {
      const socket: unknown = Reflect.get(Object(message), "socket");
      if (socket instanceof Socket) accepted.push(socket);
    };
    diagnostics.subscribe("net.server.socket", note);
    const link = await Link.open(server.port);
    const reader = await new SocketClient(link.url, { apiKey: key.secret }).ready();
    diagnostics.unsubscribe("net.server.socket", note);
    const serverSide = accepted.find(({ remotePort }) => link.serverSidePorts.includes(remotePort ?? 0));
    link.stall();
    const joined = reader.request("join", {
      channel: "long",
      since: { epoch: position["epoch"], offset: 0 },
    });
    const send = (size: number) =>
      reader.request("message", { channel: "elsewhere", eventName: "y", message: "y".repeat(size) });
    const answers = Array.from({ length: 12 }, () => send(900_000));
    // In each of these turns of the loop every hop takes 64 KiB of the 10.8 MB on.
    for (let turn = 0; turn < 600; turn += 1) await other.request("members", { channel: "elsewhere" });
    // One message that came before it was known that the join takes its time, and one that came behind it.
    expect(serverSide?.bytesRead).to.be.within(900_000, 2_500_000);
    link.flow();
    expect(await joined).to.include({ ok: true, recovered: true });
    const oks = (await Promise.all(answers)).map(({ ok }) => ok);
    expect(oks).to.deep.equal(Array(12).fill(true));
    expect(await send(900_000)).to.include({ ok: true });
    reader.close();
    other.close();
    link.close();
  }).timeout(60_000);
});

/** A polling session by hand, that is in a channel. */
async function openPolling(url: string, apiKey: string, channel: string): Promise<{ path: string }> {
  const base = "/realtime/?EIO=4&transport=polling";
  const opened = await (await fetch(`${url}${base}`)).text();
  const path = `${base}&sid=${/"sid":"([^"]+)"/.exec(opened)?.[1]}`;
  const post = (body: string) => fetch(`${url}${path}`, { method: "POST", body });
  await post(`40{"apiKey":"${apiKey}"}`);
  await (await fetch(`${url}${path}`)).text();
  await post(`420["join",{"channel":"${channel}"}]`);
  return { path };
}
