import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import type { TcpConnections } from "../../src/listener/index.ts";
import { listen } from "../helpers/listener-app.ts";

const GET = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";

describe("the TCP connections of a listener", () => {
  const sockets: Socket[] = [];
  const closes: (() => Promise<unknown>)[] = [];

  const open = async (port: number, localAddress = "127.0.0.1"): Promise<Socket> => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    socket.on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
    return socket;
  };
  const start = async (limits: Parameters<typeof listen>[0]): ReturnType<typeof listen> => {
    const listener = await listen(limits, (app) => {
      app.get("/hello", async () => "hello");
      app.get("/prove", async (request) => {
        listener.connections.prove(request.raw.socket, "key_a");
        return "proven";
      });
      app.get("/slow", async (request) => {
        listener.connections.prove(request.raw.socket, "key_a");
        await new Promise((resolve) => waiting.push(() => resolve(undefined)));
        return "slow";
      });
    });
    closes.push(() => listener.app.close());
    return listener;
  };
  let waiting: (() => void)[] = [];
  const ask = async (socket: Socket, path: string): Promise<string> => {
    socket.write(GET.replace("/hello", path));
    const [answer] = await once(socket, "data");
    return String(answer);
  };
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const isOpen = async (socket: Socket): Promise<boolean> => {
    if (socket.destroyed || socket.readableEnded) return false;
    const answer = ask(socket, "/hello").catch(() => "");
    return (await Promise.race([answer, once(socket, "close").then(() => "")])).includes("hello");
  };
  const sizes = ({ size, unprovenCount }: TcpConnections): number[] => [size, unprovenCount];

  afterEach(async () => {
    for (const go of waiting.splice(0)) go();
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(closes.splice(0).map((close) => close()));
    waiting = [];
  });

  it("stay within their limit: the one that has been silent longest gives way", async () => {
    const { port, connections } = await start({ maxConnections: 3 });
    const first = await open(port);
    const second = await open(port);
    const third = await open(port);
    await until(() => connections.size === 3);
    // A request makes the first one the one that has spoken last.
    expect(await ask(first, "/hello")).to.include("hello");
    const fourth = await open(port);
    expect(await ask(fourth, "/hello")).to.include("hello");
    expect(second.destroyed || (await once(second, "close")).length > 0).to.equal(true);
    for (const socket of [first, third, fourth]) expect(await isOpen(socket)).to.equal(true);
    expect(sizes(connections)).to.deep.equal([3, 3]);
  });

  it("of a key stay when silent ones come, and a new one is refused when all are at work", async () => {
    const { port, connections } = await start({ maxConnections: 2 });
    const [one, two] = [await open(port), await open(port)];
    for (const socket of [one, two]) socket.write(GET.replace("/hello", "/slow"));
    await until(() => waiting.length === 2);
    expect(sizes(connections)).to.deep.equal([2, 0]);
    for (let n = 0; n < 5; n += 1) {
      const refused = await open(port);
      if (!refused.destroyed) await once(refused, "close");
    }
    expect(connections.size).to.equal(2);
    const answers = [one, two].map((socket) => once(socket, "data"));
    for (const go of waiting.splice(0)) go();
    for (const [answer] of await Promise.all(answers)) expect(String(answer)).to.include("slow");
    // Both are idle now: the one that has been idle longest gives way to who comes.
    const next = await open(port);
    expect(await ask(next, "/hello")).to.include("hello");
    if (!one.destroyed) await once(one, "close");
    expect(await isOpen(two)).to.equal(true);
  });

  it("of one address stay within its share, and those of others and of a proxy are not touched", async () => {
    const { port, connections } = await start({
      maxConnections: 20,
      maxUnprovenPerAddress: 2,
      isProxy: (address) => address === "127.0.0.9",
    });
    const other = await open(port, "127.0.0.2");
    const proxied = await Promise.all(Array.from({ length: 5 }, () => open(port, "127.0.0.9")));
    const proven = await open(port);
    expect(await ask(proven, "/prove")).to.include("proven");
    const flood: Socket[] = [];
    for (let n = 0; n < 5; n += 1) flood.push(await open(port));
    await until(() => connections.size === 9);
    await Promise.all(flood.slice(0, 3).map((socket) => socket.destroyed || once(socket, "close")));
    for (const socket of [other, proven, ...proxied, ...flood.slice(3)]) {
      expect(await isOpen(socket)).to.equal(true);
    }
  });

  it("leave nothing when they are closed", async () => {
    const { port, connections } = await start({});
    const open5 = await Promise.all(Array.from({ length: 5 }, () => open(port)));
    await ask(open5[0] ?? (await open(port)), "/prove");
    open5[1]?.write(GET.replace("/hello", "/slow").repeat(10));
    await until(() => waiting.length === 1);
    expect(connections.waitingRequests).to.equal(9);
    for (const socket of open5) socket.destroy();
    await until(() => connections.size === 0);
    expect([connections.unprovenCount, connections.waitingRequests, connections.sendingCount]).to.deep.equal([
      0, 0, 0,
    ]);
  });

  it("are closed when they pipeline thousands of requests, which are not kept", async () => {
    const { port, connections } = await start({});
    const socket = await open(port);
    socket.write(GET.replace("/hello", "/slow") + GET.repeat(1_000));
    if (!socket.destroyed) await once(socket, "close");
    await until(() => connections.size === 0);
    expect(connections.waitingRequests).to.equal(0);
  });

  it("are used again up to the end of the time that they may be idle, and beyond what is announced", async () => {
    const { app, port } = await start({});
    app.server.keepAliveTimeout = 1_000;
    const answers: string[] = [];
    // The announced second is over, and the server, which closes a second later, still answers.
    const reuse = async (idleMs: number): Promise<void> => {
      const socket = await open(port);
      answers.push(await ask(socket, "/hello"));
      await new Promise((resolve) => setTimeout(resolve, idleMs));
      answers.push(await Promise.race([ask(socket, "/hello"), once(socket, "close").then(() => "closed")]));
    };
    await Promise.all([950, 990, 1_000, 1_010, 1_100].map(reuse));
    for (const answer of answers) expect(answer).to.include("Keep-Alive: timeout=1").and.include("hello");
  });
});
