import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { Type } from "typebox";
import type { Child } from "../../bench/crowd/child.ts";
import { SocketClient } from "../helpers/socket-client.ts";
import { temporaryFolder } from "../keys/temporary-folder.ts";
import { AttackedServer } from "../overload/attacked-server.ts";
import { limitedChild } from "../overload/limited-child.ts";

const OPEN_FILES = 256;
const GET_SDK = "GET /sdk/sluice.js HTTP/1.1\r\nHost: localhost\r\n\r\n";

describe("a server under a low limit of open files", () => {
  let server: AttackedServer;
  let sockets: Socket[] = [];

  before(async () => {
    server = await new AttackedServer({ openFiles: OPEN_FILES }).start();
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  after(() => server.stop());

  /** Silent, or with what it sends and never reads. */
  const flood = async (count: number, port: number, text = ""): Promise<void> => {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect(port, "127.0.0.1");
        sockets.push(socket);
        socket.on("error", () => {});
        socket.pause();
        if (text !== "") socket.write(text);
        await Promise.race([once(socket, "connect"), once(socket, "close")]);
      }),
    );
    sockets = sockets.filter((socket) => !socket.destroyed);
  };
  /** What the honest need: the connection of before, the admin API, a call and a connection of now. */
  const serves = async (before: SocketClient, apiKey: string): Promise<void> => {
    expect(await before.request("join", { channel: "room" })).to.include({ ok: true });
    expect((await server.admin("GET", "/status")).status).to.equal(200);
    const call = await fetch(`http://127.0.0.1:${server.port}/api/ping`, {
      headers: { "x-api-key": apiKey },
    });
    expect(await call.json()).to.deep.equal({ pong: true });
    const client = new SocketClient(`http://127.0.0.1:${server.port}`, { apiKey });
    await client.ready();
    client.close();
    expect(server.end).to.equal(undefined);
  };

  for (const [what, text] of [
    ["silent connections", ""],
    ["pipelined files that nobody reads", GET_SDK.repeat(100)],
  ] as const) {
    it(`serves those who have a key, and the operator, under ${what}, and lets go of all of them`, async () => {
      const { secret } = await server.createKey({ name: "honest", endpoints: { mode: "full-access" } });
      const client = new SocketClient(`http://127.0.0.1:${server.port}`, { apiKey: secret });
      await client.ready();
      const { descriptors } = await server.census();
      // The sampler, which reads memory, and the sweeps run each second.
      const until = performance.now() + 3_000;
      while (performance.now() < until) {
        await flood(OPEN_FILES, server.port, text);
        await serves(client, secret);
      }
      const { descriptors: most } = await server.census();
      expect(most).to.be.below(OPEN_FILES - 16);
      for (const socket of sockets.splice(0)) socket.destroy();
      while ((await server.census()).descriptors > descriptors + 8)
        await new Promise((resolve) => setTimeout(resolve, 50));
      client.close();
    });
  }

  it("serves everybody else when the admin listener is flooded", async () => {
    const { secret } = await server.createKey({ name: "honest", endpoints: { mode: "full-access" } });
    const client = new SocketClient(`http://127.0.0.1:${server.port}`, { apiKey: secret });
    await client.ready();
    await flood(OPEN_FILES, Number(new URL(server.adminUrl).port));
    await serves(client, secret);
    client.close();
  });
});

describe("a process without a single descriptor left", () => {
  const folder = temporaryFolder();
  let child: Child;
  const Ports = Type.Object({ port: Type.Number(), adminPort: Type.Number() });

  afterEach(() => child.stop());
  after(() => folder.remove());

  for (const store of ["memory:", "lmdb:"]) {
    it(`goes on serving who is connected, does not spin, and takes connections again afterwards (${store})`, async () => {
      child = limitedChild(new URL("hog-process.ts", import.meta.url), { openFiles: OPEN_FILES });
      const url = store === "lmdb:" ? `lmdb:${folder.path}` : store;
      const { port, adminPort } = await child.call(Ports, "start", { store: url });
      const ask = async (socket: Socket, path: string): Promise<string> => {
        const token = "Authorization: Bearer hog-admin-token-0123456789";
        socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${adminPort}\r\n${token}\r\n\r\n`);
        return String((await once(socket, "data"))[0]);
      };
      const kept = connect(port, "127.0.0.1");
      const operator = connect(adminPort, "127.0.0.1");
      expect(await ask(kept, "/healthz")).to.include("200 OK");
      expect(await ask(operator, "/admin/v1/status")).to.include("200 OK");
      expect(await child.call(Type.Number(), "hog")).to.be.greaterThan(50);
      const late = Array.from({ length: 20 }, () => connect(port, "127.0.0.1").on("error", () => {}));
      const from = await child.call(Type.Number(), "processorMs");
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      expect((await child.call(Type.Number(), "processorMs")) - from).to.be.below(1_500);
      expect(await ask(operator, "/admin/v1/status")).to.include("200 OK");
      for (const socket of late) socket.destroy();
      await child.call(Type.Boolean(), "release");
      const again = await fetch(`http://127.0.0.1:${port}/healthz`);
      expect(again.status).to.equal(200);
      await again.text();
      for (const socket of [kept, operator]) socket.destroy();
      await child.call(Type.Boolean(), "stop");
    });
  }
});
