import { expect } from "chai";
import type { EndpointContext } from "../../src/config/config.ts";
import { startServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

for (const transport of ["websocket", "polling"] as const) {
  describe(`a server that stops, over ${transport}`, () => {
    it("tells who is here, and who had only begun to connect", async () => {
      const server = await startServer();
      const { secret } = await server.createKey({ allowRealtime: true });
      const options = { transports: [transport] };
      const here = await new SocketClient(server.url, { apiKey: secret }, options).ready();
      const late = new SocketClient(server.url, undefined, options);
      // The engine is open, and CONNECT is not sent before the server stops.
      let connect: ((auth: object) => void) | undefined;
      const asked = new Promise<void>((resolve) => {
        late.socket.auth = (send: (auth: object) => void) => {
          connect = send;
          resolve();
        };
      });
      await asked;
      const closed = server.close();
      connect?.({ apiKey: secret });
      for (const client of [here, late]) {
        const closing = await client.next("connection:closing");
        expect(closing).to.include({ code: "server_shutdown", retry: true });
        expect(closing["afterMs"]).to.be.within(0, 5_000);
        // Of another reason, socket.io-client would not come back.
        await client.next("engine:close", (reason) => reason === "transport close");
      }
      await closed;
      here.close();
      late.close();
    });

    it("tells each client another time to come back", async () => {
      const server = await startServer();
      const { secret } = await server.createKey({ allowRealtime: true });
      const clients = await Promise.all(
        Array.from({ length: 20 }, () =>
          new SocketClient(server.url, { apiKey: secret }, { transports: [transport] }).ready(),
        ),
      );
      const told = Promise.all(clients.map((client) => client.next("connection:closing")));
      await server.close();
      const times = (await told).map(({ afterMs }) => Number(afterMs)).sort((a, b) => a - b);
      // Of twenty, all in one fifth of five seconds has a chance of one in 10^12.
      expect((times.at(-1) ?? 0) - (times[0] ?? 0)).to.be.above(1_000);
      for (const client of clients) client.close();
    });

    it("acknowledges no publish that its members do not hear", async () => {
      const server = await startServer();
      const { secret } = await server.createKey({ allowRealtime: true });
      const options = { transports: [transport] };
      const publisher = await new SocketClient(server.url, { apiKey: secret }, options).ready();
      const members = await Promise.all(
        Array.from({ length: 30 }, async () => {
          const member = await new SocketClient(server.url, { apiKey: secret }, options).ready();
          await member.request("join", { channel: "a" });
          return member;
        }),
      );
      const answers: Promise<unknown>[] = [];
      const publish = (message: number): void => {
        if (!publisher.socket.connected) return;
        answers.push(
          publisher.socket
            .timeout(5_000)
            .emitWithAck("message", { channel: "a", eventName: "say", message })
            .then(
              (answer: { ok: boolean }) => (answer.ok ? message : undefined),
              () => undefined,
            ),
        );
      };
      // It goes on saying something, and says the last when it is told that the server stops.
      let count = 0;
      const saying = setInterval(() => publish(count++), 1);
      const told = publisher.next("connection:closing").then(() => publish(count++));
      await members[0]?.next("say");
      await server.close();
      await told;
      clearInterval(saying);
      publisher.close();
      const acknowledged = (await Promise.all(answers)).filter((answer) => answer !== undefined);
      expect(acknowledged).to.not.be.empty;
      for (const member of members.slice(1)) {
        const heard = member.pending("say").map((payload) => Object(payload).message);
        expect(heard).to.include.members(acknowledged);
        member.close();
      }
      members[0]?.close();
    });
  });
}

describe("a server that stops, over HTTP", () => {
  it("answers a call whose handler publishes then as one to repeat", async () => {
    let release: (() => void) | undefined;
    let called: (() => void) | undefined;
    const isCalled = new Promise<void>((resolve) => {
      called = resolve;
    });
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handler = async ({ realtime, query }: EndpointContext): Promise<unknown> => {
      called?.();
      await held;
      return query.get("to") === "all" ? realtime.broadcast("say", 1) : realtime.publish("a", "say", 1);
    };
    const server = await startServer({
      config: { endpoints: [{ id: "say", method: "GET", path: "/say", handler }] },
    });
    const { secret } = await server.createKey({ allowRealtime: true, endpoints: { mode: "full-access" } });
    const member = await new SocketClient(server.url, { apiKey: secret }).ready();
    await member.request("join", { channel: "a" });
    const calls = ["one", "all"].map((to) =>
      fetch(`${server.url}/api/say?to=${to}`, { headers: { "x-api-key": secret } }),
    );
    await isCalled;
    const closed = server.close();
    await member.next("connection:closing");
    release?.();
    for (const call of calls) {
      const response = await call;
      expect(response.status).to.equal(503);
      expect(await response.json()).to.include({ code: "server_shutdown" });
    }
    await closed;
    member.close();
  });
});
