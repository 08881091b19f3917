import { expect } from "chai";
import { WebSocket } from "ws";
import type { ConfigInput } from "../../src/config/config.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

for (const transport of ["websocket", "polling"]) {
  describe(`connection limits over ${transport}`, () => {
    let server: TestServer;
    let secret: string;
    const clients: SocketClient[] = [];
    const start = async (config: ConfigInput): Promise<void> => {
      server = await startServer({ config });
      secret = (await server.createKey({ allowRealtime: true })).secret;
    };
    afterEach(async () => {
      for (const client of clients.splice(0)) client.close();
      await server.close();
    });
    const open = (auth: object = {}, from?: string): SocketClient => {
      const headers = from === undefined ? {} : { extraHeaders: { "x-forwarded-for": from } };
      const options = { transports: [transport], ...headers };
      const client = new SocketClient(server.url, { apiKey: secret, ...auth }, options);
      clients.push(client);
      return client;
    };
    /** Try until a seat that is about to be free is; each try is a handshake and takes its time. */
    const comesIn = async (auth: object = {}, from?: string): Promise<SocketClient> => {
      for (let left = 500; left > 0; left -= 1) {
        const client = open(auth, from);
        const came = await Promise.race([client.ready(), client.refusal()]);
        if (came === client) return client;
      }
      throw new Error("no seat came free");
    };

    it("refuse one more in all, with a code and a time, and let it in when one has gone", async () => {
      await start({ maxConnections: 2 });
      const first = await open().ready();
      await open().ready();
      const refused = await open().refusal();
      expect(refused).to.include({ code: "too_many_connections", status: 429, afterMs: 5_000 });
      first.close();
      await comesIn();
      expect(await open().refusal()).to.include({ code: "too_many_connections" });
    });

    it("refuse one more of an address, an IPv6 /64 as one", async () => {
      await start({ maxConnectionsPerAddress: 1, trustedProxies: ["127.0.0.1"] });
      await open({}, "203.0.113.1").ready();
      const code = "too_many_connections_per_address";
      expect(await open({}, "203.0.113.1").refusal()).to.include({ code });
      await open({}, "203.0.113.2").ready();
      await open({}, "2001:db8::1").ready();
      expect(await open({}, "2001:db8::2").refusal()).to.include({ code });
      await open({}, "2001:db8:0:1::1").ready();
    });

    it("refuse one more of a key, whose usage shows it, and not one of another", async () => {
      await start({ maxConnectionsPerKey: 1 });
      const { id, secret: counted } = await server.createKey({ allowRealtime: true });
      await open({ apiKey: counted }).ready();
      expect(await open({ apiKey: counted }).refusal()).to.include({ code: "too_many_connections_per_key" });
      await open().ready();
      const { body } = await server.admin(`/keys/${id}`);
      expect(body).to.include({ allowed: 1 });
      expect(body["denied"]).to.deep.equal({ too_many_connections_per_key: 1 });
    });

    it("are asked last: who may not in hears nothing of them", async () => {
      await start({ maxConnections: 1 });
      await open().ready();
      expect(await open({ apiKey: "nobody" }).refusal()).to.include({ code: "invalid_api_key" });
      const { secret: silent } = await server.createKey();
      expect(await open({ apiKey: silent }).refusal()).to.include({ code: "realtime_not_allowed" });
    });

    it("hold among many handshakes at once", async () => {
      await start({ maxConnections: 5 });
      const outcomes = await Promise.all(
        Array.from({ length: 25 }, async () => {
          const client = open();
          return (await Promise.race([client.ready(), client.refusal()])) === client;
        }),
      );
      expect(outcomes.filter((isIn) => isIn)).to.have.length(5);
      for (const client of clients.splice(0)) client.close();
      for (let i = 0; i < 5; i += 1) await comesIn();
      expect(await open().refusal()).to.include({ code: "too_many_connections" });
    });

    it("let a client that comes back take the place of its connection that lingers", async () => {
      await start({ maxConnections: 1, maxConnectionsPerAddress: 1, maxConnectionsPerKey: 1 });
      let client = open();
      let { resume } = await client.next("connection:ready");
      for (let i = 0; i < 5; i += 1) {
        // Nothing was closed: the old connection is there until the new one ends it.
        const next = open({ resume });
        const ready = await next.next("connection:ready");
        expect(await client.next("connection:closing")).to.include({ code: "taken_over" });
        [client, resume] = [next, ready["resume"]];
      }
      expect(await open().refusal()).to.include({ code: "too_many_connections" });
      expect(await open({ resume: "guessed" }).refusal()).to.include({ code: "too_many_connections" });
      const other = await server.createKey({ allowRealtime: true });
      expect(await open({ apiKey: other.secret, resume }).refusal()).to.include({
        code: "too_many_connections",
      });
      client.close();
      await comesIn();
    });

    it("hold when one client comes back several times at once", async () => {
      await start({ maxConnections: 2 });
      const { resume } = await open().next("connection:ready");
      await open().ready();
      const back = Array.from({ length: 8 }, () => open({ resume }));
      await Promise.all(back.map((client) => Promise.race([client.ready(), client.refusal()])));
      for (const client of clients.splice(0)) client.close();
      await comesIn();
      await comesIn();
      expect(await open().refusal()).to.include({ code: "too_many_connections" });
    });

    it("are free again after every way in which a connection ends", async () => {
      await start({ maxConnections: 1 });
      const { id, secret: edited } = await server.createKey({ allowRealtime: true });
      const ends: ((client: SocketClient) => unknown)[] = [
        (client) => client.socket.disconnect(),
        (client) => client.socket.io.engine.close(),
        (client) =>
          client.socket.emit("message", { channel: "a", eventName: "x", message: "x".repeat(2 ** 21) }),
        () => server.patchKey(id, { allowRealtime: false }),
        () => server.patchKey(id, { enabled: false }),
      ];
      for (const end of ends) {
        await server.patchKey(id, { enabled: true, allowRealtime: true });
        await end(await comesIn({ apiKey: edited }));
        (await comesIn()).close();
      }
      for (const client of clients) client.close();
      await server.deleteKey(id);
      await comesIn();
      expect(await open().refusal()).to.include({ code: "too_many_connections" });
    });
  });
}

describe("bounds of a message over sockets", () => {
  let server: TestServer;
  let secret: string;
  before(async () => {
    server = await startServer();
    secret = (await server.createKey({ allowRealtime: true })).secret;
  });
  after(() => server.close());

  it("close a WebSocket with 1009 for a packet above 1 MiB, and take one of 1 MiB", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/realtime/?EIO=4&transport=websocket`);
    const seen: string[] = [];
    const code = await new Promise<number>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("close", resolve);
      socket.on("message", (data) => {
        const text = String(data);
        seen.push(text);
        if (text.startsWith("0{")) socket.send(`40{"apiKey":"${secret}"}`);
        const frame = (bytes: number): string => {
          const [head, tail] = ['4217["message",{"channel":"c","eventName":"x","message":"', '"}]'];
          return head + "x".repeat(bytes - head.length - tail.length) + tail;
        };
        if (text.startsWith('42["connection:ready"')) socket.send(frame(1024 * 1024));
        if (text.startsWith("4317")) socket.send(frame(1024 * 1024 + 1));
      });
    });
    expect(code).to.equal(1009);
    expect(seen.find((text) => text.startsWith("4317"))).to.include('"ok":true');
  });

  it("answer a polling request above 1 MiB with 413 and the code", async () => {
    const url = `${server.url}/realtime/?EIO=4&transport=polling`;
    const opened = await (await fetch(url)).text();
    const { sid } = JSON.parse(opened.slice(1));
    const response = await fetch(`${url}&sid=${sid}`, { method: "POST", body: "4".repeat(1024 * 1024 + 1) });
    expect(response.status).to.equal(413);
    expect(await response.json()).to.include({ code: "payload_too_large" });
  });

  it("refuse a longer event name, and one channel more than a connection may be in", async () => {
    const client = await new SocketClient(server.url, { apiKey: secret }).ready();
    const send = (eventName: string) => client.request("message", { channel: "c", eventName });
    expect(await send("x".repeat(128))).to.include({ ok: true });
    expect((await send("x".repeat(129)))["error"]).to.include({ code: "invalid_event_name" });
    const join = (index: number) => client.request("join", { channel: `channel-${index}` });
    // Below the bound on requests under way.
    for (let from = 0; from < 1_000; from += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => join(from + index)));
    }
    expect((await join(1_000))["error"]).to.include({ code: "too_many_channels_per_connection" });
    expect(await join(0)).to.include({ ok: true });
    expect(await client.request("leave", { channel: "channel-0" })).to.include({ ok: true });
    expect(await join(1_000)).to.include({ ok: true });
    const all = await Promise.all([join(2_000), join(2_001)]);
    expect(all.map(({ ok }) => ok)).to.deep.equal([false, false]);
    client.close();
  });
});
