import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { expect } from "chai";
import { type Client, type ClientOptions, createClient, type RealtimeError } from "../../client/index.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { accept, addressOf, FakeServer, next } from "./fake-server.ts";

describe("a client whose server is away, silent or somebody else", () => {
  const clients: Client[] = [];
  const closing: (() => Promise<unknown>)[] = [];

  const open = (url: string, options: ClientOptions = {}): Client => {
    const client = createClient(url, "slc_test", { quiet: true, ...options });
    clients.push(client);
    return client;
  };
  const startFake = async (port?: number): Promise<FakeServer> => {
    const server = await FakeServer.start(port);
    closing.push(() => server.close());
    return server;
  };
  const startHttp = async (answer: Parameters<typeof createServer>[1]): Promise<Server> => {
    const server = createServer(answer ?? (() => {}));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    return server;
  };

  afterEach(async () => {
    for (const { realtime } of clients.splice(0)) realtime.close();
    for (const close of closing.splice(0)) await close();
  });

  it("joins as soon as the server is there, however long ago the page asked", async () => {
    const gone = await FakeServer.start();
    await gone.close();
    const { realtime } = open(gone.url, { queueForMs: 50 });
    const early = await realtime.join("room");
    expect(early.error).to.include({ code: "ack_timeout", status: 0 });
    expect(realtime.channels).to.deep.equal(["room"]);
    const server = await startFake(gone.port);
    await server.until(() => server.heard(0).includes("join room"));
  });

  it("keeps what is sent meanwhile for longer than an answer may take", async () => {
    const gone = await FakeServer.start();
    await gone.close();
    const { realtime } = open(gone.url, { answerWithinMs: 300 });
    const failed = next(realtime.onError);
    const sent = realtime.send("room", "say", 1);
    await failed;
    await new Promise((resolve) => setTimeout(resolve, 350));
    const server = await startFake(gone.port);
    expect((await sent).error).to.equal(null);
    expect(server.heard(0)).to.deep.equal(["message roomsay"]);
  });

  it("does not become a ghost in a channel whose join is answered late", async () => {
    const server = await startFake();
    const { realtime } = open(server.url, { answerWithinMs: 100 });
    server.answer = (event, payload) => (event === "join" ? undefined : accept(event, payload));
    expect((await realtime.join("room")).error?.code).to.equal("ack_timeout");
    expect(realtime.channels).to.deep.equal(["room"]);
    await realtime.leave("room");
    expect(server.heard(0)).to.deep.equal(["join room", "leave room"]);
    expect(realtime.channels).to.deep.equal([]);
  });

  it("gives a call up whose connection ended twice without an answer, and lets the others live", async () => {
    const server = await startFake();
    const { realtime } = open(server.url);
    await realtime.join("room");
    // The fake server knows nobody again, so that a message is not repeated; reading the members is.
    server.answer = (event, payload) => {
      if (event === "members") server.cut();
      return event === "members" ? undefined : accept(event, payload);
    };
    expect((await realtime.getMembers("room")).error?.code).to.equal("connection_lost");
    expect(server.received.filter(({ event }) => event === "members")).to.have.length(2);
    expect((await realtime.send("room", "say", 1)).error).to.equal(null);
  });

  it("refuses at once what the server could not take", async () => {
    const server = await startFake();
    const { realtime } = open(server.url);
    await realtime.open();
    const { error } = await realtime.send("room", "say", "x".repeat(1024 * 1024 + 100));
    expect(error).to.include({ code: "payload_too_large", status: 413 });
    expect((await realtime.send("room", "say", 1)).error).to.equal(null);
    expect(server.sockets).to.have.length(1);
  });

  it("turns to polling where an upgrade is neither answered nor refused, and remembers it for the page", async function () {
    this.timeout(20_000);
    const server = await startFake();
    const { proxy, upgrades } = await deafToUpgrades(server.port);
    closing.push(async () => proxy.close());
    const address = proxy.address();
    if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
    const url = `http://127.0.0.1:${address.port}`;
    const first = open(url);
    void first.realtime.open();
    await next(first.realtime.onConnect);
    expect(upgrades()).to.be.above(0);
    const second = open(url);
    const startedMs = performance.now();
    void second.realtime.open();
    await next(second.realtime.onConnect);
    expect(performance.now() - startedMs).to.be.below(4_000);
  });

  it("goes on trying where something else answers 403 in the server's place, and says so", async () => {
    let isBlocked = true;
    const server = await startFake();
    const firewall = await startHttp((request, response) => {
      if (isBlocked) {
        response.writeHead(403, { "content-type": "text/html" }).end("<h1>Forbidden</h1>");
        return;
      }
      // Whoever polls is passed on.
      const headers = { ...request.headers, host: `127.0.0.1:${server.port}` };
      const target = `${server.url}${request.url}`;
      void pass(request, target, headers).then(({ status, body }) => response.writeHead(status).end(body));
    });
    const url = `http://127.0.0.1:${addressOf(firewall).port}`;
    const { realtime } = open(url, { transports: ["polling"] });
    void realtime.open();
    const error = await next<RealtimeError>(realtime.onError);
    expect(error).to.include({ code: "http_403", status: 403, retrying: true });
    isBlocked = false;
    await next(realtime.onConnect);
  });

  it("ends a call of an endpoint that never answers, and an opening", async () => {
    const silent = await startHttp(() => {});
    const url = `http://127.0.0.1:${addressOf(silent).port}`;
    const { endpoint } = open(url, { endpointTimeoutMs: 100 });
    expect((await endpoint.get("/orders")).error).to.include({ code: "timeout", status: 0 });
    expect((await endpoint.get("/orders", { timeoutMs: 50 })).error).to.include({ code: "timeout" });
  });

  it("takes null for options, endless times, and a platform without crypto", async () => {
    const server = await startFake();
    const client = createClient(server.url, "slc_test", null as never);
    clients.push(client);
    const { realtime } = client;
    expect((await realtime.join("room", null)).error).to.equal(null);
    expect((await realtime.updateProfile({}, null)).error).to.equal(null);
    expect((await realtime.getMembers("room", null)).error).to.equal(null);
    const endless = open(server.url, { ackTimeoutMs: Number.POSITIVE_INFINITY }).realtime;
    expect((await endless.send("room", "say", 1, null)).error).to.equal(null);
    const own = Object.getOwnPropertyDescriptor(globalThis, "crypto");
    Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
    try {
      expect((await realtime.send("room", "say", 1)).error).to.equal(null);
    } finally {
      if (own !== undefined) Object.defineProperty(globalThis, "crypto", own);
    }
  });

  it("notices a line that has gone dead without a word, from a call that nobody answers", async function () {
    this.timeout(25_000);
    const server = await startFake();
    const { realtime } = open(server.url);
    await realtime.join("room");
    server.answer = () => undefined;
    const lost = next(realtime.onDisconnect);
    void realtime.send("room", "say", 1);
    const { code } = await lost;
    expect(code).to.equal("connection_lost");
  });
});

describe("a client that keeps lists of members", () => {
  let server: TestServer;
  let secret: string;
  beforeEach(async () => {
    server = await startServer();
    ({ secret } = await server.createKey({ allowRealtime: true }));
  });
  afterEach(() => server.close());

  it("is told after an outage who has gone and come meanwhile, its own earlier id among them", async () => {
    const proxy = await cuttable(server.port);
    const watcher = createClient(proxy.url, secret, { quiet: true });
    const goes = createClient(server.url, secret);
    const comes = createClient(server.url, secret);
    const list = new Set<string>();
    try {
      watcher.realtime.onJoin(({ message }) => list.add(message.id));
      watcher.realtime.onLeave(({ message }) => list.delete(message.id));
      await watcher.realtime.join("room");
      await goes.realtime.join("room");
      for (const { id } of (await watcher.realtime.getMembers("room")).data?.members ?? []) list.add(id);
      expect(list.size).to.equal(2);
      proxy.isDown = true;
      proxy.cut();
      await next(watcher.realtime.onDisconnect);
      goes.realtime.close();
      await comes.realtime.join("room");
      proxy.isDown = false;
      const expected = (): string[] => [watcher.realtime.id, comes.realtime.id].map(String).toSorted();
      await untilHolds(() => JSON.stringify([...list].toSorted()) === JSON.stringify(expected()));
    } finally {
      for (const { realtime } of [watcher, goes, comes]) realtime.close();
      proxy.close();
    }
  });
});

/** A TCP proxy that swallows every upgrade: the client never hears of it again. */
async function deafToUpgrades(port: number): Promise<{ proxy: TcpServer; upgrades: () => number }> {
  let count = 0;
  const proxy = createTcpServer((near) => {
    near.on("error", () => near.destroy());
    near.once("data", (head) => {
      if (/upgrade: websocket/i.test(head.toString("latin1"))) {
        count += 1;
        near.on("data", () => {});
        return;
      }
      const far = connect(port, "127.0.0.1");
      far.on("error", () => near.destroy());
      far.write(head);
      near.pipe(far).pipe(near);
    });
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return { proxy, upgrades: () => count };
}

async function cuttable(port: number): Promise<{ url: string; isDown: boolean; cut(): void; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((near) => {
    near.on("error", () => near.destroy());
    if (state.isDown) {
      near.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    far.on("error", () => far.destroy());
    sockets.add(near).add(far);
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
  const state = {
    url: `http://127.0.0.1:${address.port}`,
    isDown: false,
    cut: (): void => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    close: (): void => {
      state.cut();
      server.close();
    },
  };
  return state;
}

async function pass(
  request: NodeJS.ReadableStream & { method?: string | undefined },
  target: string,
  headers: NodeJS.Dict<string | string[]>,
): Promise<{ status: number; body: string }> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  const type = String(headers["content-type"] ?? "text/plain");
  const init =
    request.method === "POST" ? { method: "POST", body: text, headers: { "content-type": type } } : {};
  const response = await fetch(target, init);
  return { status: response.status, body: await response.text() };
}

async function untilHolds(holds: () => boolean): Promise<void> {
  const untilMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > untilMs) throw new Error("it does not hold within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
