import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { expect } from "chai";
import { FairBudget } from "../../src/lib/fair-budget.ts";
import { listen } from "../helpers/listener-app.ts";

const MIB = 1024 * 1024;
/** More than the buffers of the system between two sockets of this machine take. */
const LARGE = Buffer.alloc(32 * MIB, "x");

describe("answers that nobody reads", () => {
  const sockets: Socket[] = [];
  const closes: (() => Promise<unknown>)[] = [];
  let begun = 0;

  const start = async (limits: Parameters<typeof listen>[0]): ReturnType<typeof listen> => {
    const listener = await listen(limits, (app) => {
      app.get<{ Querystring: { owner?: string } }>("/large", async (request) => {
        begun += 1;
        if (request.query.owner !== undefined)
          listener.connections.prove(request.raw.socket, request.query.owner);
        return LARGE;
      });
      app.get("/stream", async (_request, reply) => {
        let sent = 0;
        const body = new Readable({
          read() {
            begun += 1;
            sent += 64 * 1024;
            this.push(sent > LARGE.length ? null : LARGE.subarray(0, 64 * 1024));
          },
        });
        return reply.send(body);
      });
      app.get("/small", async () => "small");
    });
    closes.push(() => listener.app.close());
    return listener;
  };
  /** Sends requests and reads nothing. */
  const ask = async (port: number, text: string): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
    socket.pause();
    socket.write(text);
    return socket;
  };
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(() => {
    begun = 0;
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(closes.splice(0).map((close) => close()));
  });

  it("end their connection once there was no progress for a time, and their bytes are given back", async () => {
    const { port, connections, unsent } = await start({ stalledAnswerMs: 500 });
    for (const path of ["/large", "/stream"]) {
      await ask(port, get(path));
      await until(() => connections.sendingCount === 1);
      expect(unsent.total).to.be.greaterThan(0);
      await until(() => connections.size === 0);
      expect([connections.sendingCount, unsent.total, unsent.size]).to.deep.equal([0, 0, 0]);
    }
  });

  it("may be read as slowly as the client likes, as long as it reads", async () => {
    const { port, connections } = await start({ stalledAnswerMs: 2_500 });
    const socket = await ask(port, get("/large").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    let received = 0;
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      socket.pause();
      // The whole takes several times as long as an answer may stand still.
      setTimeout(() => socket.resume(), 10);
    });
    socket.resume();
    await once(socket, "close");
    expect(received).to.be.greaterThan(LARGE.length);
    await until(() => connections.size === 0);
  });

  it("are made one after the other, whatever was pipelined", async () => {
    const { port, connections } = await start({});
    const socket = await ask(port, get("/large").repeat(10));
    await until(() => connections.sendingCount === 1 && connections.waitingRequests === 9);
    await (await fetch(`http://127.0.0.1:${port}/small`)).text();
    expect(begun).to.equal(1);
    let received = 0;
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    socket.resume();
    await until(() => received > 10 * LARGE.length);
    expect(begun).to.equal(10);
  });

  it("share a budget in which who holds most gives way, and who holds little is answered", async () => {
    const { port, connections, unsent } = await start({ unsent: new FairBudget(100 * MIB) });
    const modest = await ask(port, get("/large?owner=key_modest"));
    await until(() => unsent.amountOf("key_modest") > 0);
    const greedy: Socket[] = [];
    for (let n = 0; n < 12; n += 1) greedy.push(await ask(port, get("/large?owner=key_greedy")));
    await until(() => begun === 13);
    expect(unsent.total).to.be.at.most(100 * MIB);
    expect(unsent.amountOf("key_modest")).to.be.greaterThan(0);
    expect(connections.sendingCount).to.be.within(2, 5);
    let received = 0;
    modest.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    modest.resume();
    await until(() => received > LARGE.length);
    const small = await fetch(`http://127.0.0.1:${port}/small`);
    expect(await small.text()).to.equal("small");
  });

  it("are not added to by those who hold more than their share of a full budget: they are told to read", async () => {
    const unsent = new FairBudget(10 * MIB);
    const { port, connections } = await start({ unsent });
    const read = async (socket: Socket, text: string): Promise<string> => {
      socket.write(text);
      const [answer] = await once(socket.resume(), "data");
      return String(answer);
    };
    const socket = await ask(port, get("/small"));
    expect(String((await once(socket.resume(), "data"))[0])).to.include("small");
    unsent.charge("address 127.0.0.1", 6 * MIB);
    unsent.charge("key_other", 4 * MIB);
    const refused = await read(socket, get("/small"));
    expect(refused).to.match(/^HTTP\/1\.1 503 /);
    expect(refused.toLowerCase()).to.include("retry-after: 1").and.include('"unavailable"');
    unsent.discharge("address 127.0.0.1", 6 * MIB);
    expect(await read(socket, get("/small"))).to.match(/^HTTP\/1\.1 200 /);
    expect(connections.size).to.equal(1);
  });
});

describe("a body that is too large", () => {
  it("is dropped for a moment, so that its sender comes to read the refusal", async () => {
    const { app, port, connections } = await listen({}, (one) => {
      one.post("/in", async () => "in");
    });
    const type = "Content-Type: application/json\r\n";
    for (const framing of [`Content-Length: ${8 * MIB}`, "Transfer-Encoding: chunked"]) {
      const socket = connect(port, "127.0.0.1");
      const errors: Error[] = [];
      socket.on("error", (error) => errors.push(error));
      let received = "";
      socket.setEncoding("latin1").on("data", (chunk: string) => {
        received += chunk;
      });
      socket.write(`POST /in HTTP/1.1\r\nHost: a\r\n${type}${framing}\r\n\r\n`);
      const piece = framing.startsWith("T") ? `10000\r\n${"1".repeat(65_536)}\r\n` : "1".repeat(65_536);
      for (let n = 0; n < 128 && socket.writable; n += 1) {
        if (!socket.write(piece)) await Promise.race([once(socket, "drain"), once(socket, "close")]);
      }
      socket.end();
      if (!socket.destroyed) await once(socket, "close");
      expect(received).to.match(/^HTTP\/1\.1 413 /);
      expect(errors).to.deep.equal([]);
    }
    // One that never ends is not read for ever.
    const endless = connect(port, "127.0.0.1");
    endless.on("error", () => {});
    endless.resume();
    endless.write(`POST /in HTTP/1.1\r\nHost: a\r\n${type}Content-Length: ${2 ** 40}\r\n\r\n`);
    const pour = (): void => {
      while (endless.writable && endless.write("1".repeat(65_536)));
    };
    endless.on("drain", pour);
    pour();
    await once(endless, "close");
    while (connections.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await app.close();
  });
});
