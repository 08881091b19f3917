import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import { Socket } from "node:net";
import { expect } from "chai";
import { Link } from "../helpers/link.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const IN_FLIGHT = 100;
const MAX_MESSAGES = 400_000;
const WINDOW = 10;

for (const transport of ["websocket", "polling"] as const) {
  describe(`a stalled reader amid small messages, over ${transport}`, () => {
    let server: TestServer;
    let secret: string;
    let link: Link;
    /** The server's side of every TCP connection, by the port of the other side. */
    const sockets = new Map<number, Socket>();
    const note = (message: unknown): void => {
      const socket: unknown =
        typeof message === "object" && message !== null ? Reflect.get(message, "socket") : undefined;
      if (socket instanceof Socket && socket.remotePort !== undefined) sockets.set(socket.remotePort, socket);
    };

    before(async () => {
      diagnostics.subscribe("net.server.socket", note);
      const channels = [{ pattern: "**", history: { size: WINDOW, seconds: 600 } }];
      server = await startServer({ config: { channels, maxUnreadMs: 500 } });
      secret = (await server.createKey({ allowRealtime: true })).secret;
      link = await Link.open(server.port);
    });
    after(async () => {
      diagnostics.unsubscribe("net.server.socket", note);
      link.close();
      await server.close();
    });

    it("is cut off within a second, costs a bounded buffer and nobody else, and hears the gap when it is back", async () => {
      const reader = new SocketClient(link.url, { apiKey: secret }, { transports: [transport] });
      const { resume } = await reader.next("connection:ready");
      await reader.request("join", { channel: "room" });
      const other = await new SocketClient(server.url, { apiKey: secret }).ready();
      const heard: number[] = [];
      other.socket.on("n", ({ offset }: { offset: number }) => heard.push(offset));
      await other.request("join", { channel: "room" });
      let leftAtMs = Number.NaN;
      other.socket.on("channel:leave", () => {
        leftAtMs = performance.now();
      });
      const say = () =>
        other.socket.emitWithAck("message", { channel: "room", eventName: "n", message: "m".repeat(100) });
      const first: unknown = await say();
      const { offset, epoch } = await reader.next("n");
      expect(first).to.include({ ok: true, offset });

      link.stall();
      const ports = link.serverSidePorts;
      const before = process.memoryUsage().rss;
      let sent = 1;
      for (; Number.isNaN(leftAtMs) && sent < MAX_MESSAGES; sent += IN_FLIGHT) {
        await Promise.all(Array.from({ length: IN_FLIGHT }, say));
      }
      expect(sent, "messages until it was cut off").to.be.below(MAX_MESSAGES);
      expect(process.memoryUsage().rss - before).to.be.below(150_000_000);

      const open = [...ports, ...link.serverSidePorts].flatMap((port) => sockets.get(port) ?? []);
      expect(open.length).to.be.above(0);
      for (const socket of open) if (!socket.destroyed) await once(socket, "close");
      expect(performance.now() - leftAtMs).to.be.below(2_500);

      link.flow();
      await reader.next("disconnect");
      const back = new SocketClient(link.url, { apiKey: secret, resume }, { transports: [transport] });
      await back.ready();
      const ack = await back.request("join", { channel: "room", since: { epoch, offset } });
      expect(ack).to.include({ ok: true, recovered: false, offset: sent });
      const gap = await back.next("channel:gap");
      expect(gap).to.include({ after: offset, before: sent - WINDOW + 1, reason: "trimmed" });
      expect(back.pending("n").length).to.equal(WINDOW);
      expect(heard).to.deep.equal(Array.from({ length: sent }, (_, index) => index + 1));
      back.close();
      other.close();
    }).timeout(60_000);
  });
}
