import { expect } from "chai";
import { type Client, type ClientOptions, createClient, type Gap } from "../../client/index.ts";
import { Link } from "../helpers/link.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { next } from "./fake-server.ts";

for (const transport of ["websocket", "polling"] as const) {
  describe(`client on a bad network, over ${transport}`, () => {
    let server: TestServer;
    let link: Link;
    let key: { id: string; secret: string };
    const clients: Client[] = [];

    const connect = (url: string, options: ClientOptions = {}) => {
      const client = createClient(url, key.secret, {
        transports: [transport],
        ackTimeoutMs: 15_000,
        ...options,
      });
      clients.push(client);
      return client.realtime;
    };
    /** What comes under `say`, as it comes; `until` waits for the nth. */
    const record = (realtime: Client["realtime"]) => {
      const heard: unknown[] = [];
      const waiting = new Set<() => void>();
      realtime.on("say", ({ message }) => {
        heard.push(message);
        for (const wake of waiting) wake();
      });
      const until = (count: number): Promise<void> =>
        new Promise((resolve) => {
          const look = (): void => {
            if (heard.length < count) return;
            waiting.delete(look);
            resolve();
          };
          waiting.add(look);
          look();
        });
      return { heard, until };
    };
    const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

    beforeEach(async () => {
      server = await startServer();
      key = await server.createKey({
        allowRealtime: true,
        channels: [{ pattern: "**", actions: ["join", "publish", "presence"] }],
      });
      link = await Link.open(server.port);
    });
    afterEach(async () => {
      for (const { realtime } of clients.splice(0)) realtime.close();
      link.close();
      await server.close();
    });

    it("hears everything once and in order while its connection is lost again and again", async () => {
      const listener = connect(link.url);
      const sender = connect(server.url);
      const gaps: Gap[] = [];
      listener.onGap((gap) => gaps.push(gap));
      const { heard, until } = record(listener);
      await listener.join("room");
      const { clientId } = listener;
      const say = async (from: number): Promise<void> => {
        for (const n of numbers(10)) await sender.send("room", "say", from + n);
      };
      for (const round of numbers(4)) {
        await say(round * 30);
        const [lost, back] = [next(listener.onDisconnect), next(listener.onConnect)];
        if (round % 2 === 0) link.freeze();
        link.down();
        await say(round * 30 + 10);
        await lost;
        link.up();
        await back;
        await say(round * 30 + 20);
      }
      await until(120);
      await sender.send("room", "say", "end");
      await until(121);
      expect(heard).to.deep.equal([...numbers(120), "end"]);
      expect(gaps).to.deep.equal([]);
      expect(listener.clientId).to.equal(clientId);
    });

    it("comes back as itself, whether its connection is lost before the new token has come or after", async function () {
      // Nine reconnects, with a pause of up to two seconds before each.
      this.timeout(60_000);
      const listener = connect(link.url);
      const sender = connect(server.url);
      const gaps: Gap[] = [];
      listener.onGap((gap) => gaps.push(gap));
      const { heard, until } = record(listener);
      await listener.join("room");
      const { clientId } = listener;
      let n = 0;
      const say = async (): Promise<void> => {
        await sender.send("room", "say", n);
        n += 1;
      };
      const loseConnection = async (): Promise<void> => {
        const gone = next(listener.onDisconnect);
        link.down();
        await gone;
        await say();
      };
      for (const round of numbers(3)) {
        // The server lets it in and sends a new token, which never arrives; sometimes it believes that the client is there.
        await loseConnection();
        const lost = link.lose("connection:ready");
        link.up();
        await lost;
        const back = next(listener.onConnect);
        if (round === 1) link.freeze();
        else link.cut();
        await back;
        await say();
        // And now after it has come, twice: the newest is presented, whose forerunner is over.
        for (const _ of numbers(2)) {
          await loseConnection();
          const again = next(listener.onConnect);
          link.up();
          await again;
        }
      }
      await until(n);
      expect(heard).to.deep.equal(numbers(n));
      expect(gaps).to.deep.equal([]);
      expect(listener.clientId).to.equal(clientId);
    });

    it("publishes once what was on its way when the connection was lost", async () => {
      const listener = connect(server.url);
      const { heard, until } = record(listener);
      await listener.join("room");
      const sender = connect(link.url);
      await sender.join("room");
      // Requests arrive and answers do not: the worst time to lose a connection.
      link.stall();
      const sent = numbers(20).map((n) => sender.send("room", "say", n));
      await until(transport === "websocket" ? 20 : 1);
      link.cut();
      link.flow();
      const results = await Promise.all(sent);
      expect(results.map(({ error }) => error)).to.deep.equal(numbers(20).map(() => null));
      expect(results.map(({ data }) => data?.offset)).to.deep.equal(numbers(20).map((n) => n + 1));
      await until(20);
      expect(heard).to.deep.equal(numbers(20));
    });

    it("is told of the gap when messages are no longer kept, or the server knows it no longer", async () => {
      const listener = connect(link.url);
      const sender = connect(server.url);
      const { heard, until } = record(listener);
      await listener.join("room");
      await sender.send("room", "say", 0);
      await until(1);
      const lost = next(listener.onDisconnect);
      link.down();
      await lost;
      // A key that could not join meanwhile.
      await server.patchKey(key.id, { channels: [{ pattern: "other", actions: ["join", "publish"] }] });
      await server.patchKey(key.id, { channels: [{ pattern: "**", actions: ["join", "publish"] }] });
      await sender.send("room", "say", 1);
      const told = next(listener.onGap);
      link.up();
      expect(await told).to.include({ channel: "room", after: 1, before: 3, reason: "not_a_member" });
      await sender.send("room", "say", 2);
      await until(2);
      expect(heard).to.deep.equal([0, 2]);
    });

    it("does not take up a channel again where it left off when it left it", async () => {
      const listener = connect(link.url);
      const sender = connect(server.url);
      const { heard, until } = record(listener);
      const gaps: Gap[] = [];
      listener.onGap((gap) => gaps.push(gap));
      await listener.join("room");
      await sender.send("room", "say", 0);
      await until(1);
      await listener.leave("room");
      await sender.send("room", "say", 1);
      await listener.join("room");
      await sender.send("room", "say", 2);
      await until(2);
      expect(heard).to.deep.equal([0, 2]);
      expect(gaps).to.deep.equal([]);
    });

    it("does not publish again what another life of the server may have had, and says what it missed", async () => {
      await server.close();
      server = await startServer({ config: { keyRequired: false } });
      const { port } = server;
      const proxy = await Link.open(port);
      const { realtime } = createClient(proxy.url, null, { transports: [transport] });
      try {
        const { heard, until } = record(realtime);
        await realtime.join("room");
        await realtime.send("room", "say", 0);
        await until(1);
        proxy.stall();
        const lost = realtime.send("room", "say", 1);
        const [told, gone] = [next(realtime.onGap), next(realtime.onDisconnect)];
        await server.close();
        proxy.cut();
        proxy.flow();
        await gone;
        server = await startServer({ config: { port, keyRequired: false } });
        const waiting = realtime.send("room", "say", 2);
        expect((await lost).error).to.include({ code: "connection_lost" });
        expect(await told).to.include({ channel: "room", reason: "epoch_lost" });
        expect((await waiting).data).to.include({ offset: 1 });
        await until(2);
        expect(heard).to.deep.equal([0, 2]);
      } finally {
        realtime.close();
        proxy.close();
      }
    });
  });
}
