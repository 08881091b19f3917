import { expect } from "chai";
import { Link } from "../helpers/link.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const MEMBERS = 8;
const MESSAGES = 16;

for (const transport of ["websocket", "polling"]) {
  describe(`a burst of large messages, over ${transport}`, () => {
    let server: TestServer;
    let secret: string;
    before(async () => {
      server = await startServer({ config: { maxUnreadMs: 3_000 } });
      secret = (await server.createKey({ allowRealtime: true })).secret;
    });
    after(() => server.close());

    it("reaches all who read, far more than they may leave unread, and ends who does not", async () => {
      const link = await Link.open(server.port);
      const options = { transports: [transport] };
      const stalled = await new SocketClient(link.url, { apiKey: secret }, options).ready();
      const members = await Promise.all(
        Array.from({ length: MEMBERS }, () =>
          new SocketClient(server.url, { apiKey: secret }, options).ready(),
        ),
      );
      for (const one of [stalled, ...members]) await one.request("join", { channel: "burst" });
      const heard = members.map(({ socket }) => {
        const offsets: number[] = [];
        socket.on("x", ({ offset }: { offset: number }) => offsets.push(offset));
        return offsets;
      });
      const publisher = await new SocketClient(server.url, { apiKey: secret }).ready();
      link.stall();
      const message = "x".repeat(500_000);
      const say = () =>
        publisher.socket.emitWithAck("message", { channel: "burst", eventName: "x", message });
      const acks: { ok: boolean }[] = await Promise.all(Array.from({ length: MESSAGES }, say));
      expect(acks.map(({ ok }) => ok)).to.deep.equal(Array(MESSAGES).fill(true));
      for (const { socket } of members)
        while (socket.connected && heard.some((offsets) => offsets.length < MESSAGES))
          await publisher.settle();
      const all = Array.from({ length: MESSAGES }, (_, index) => index + 1);
      for (const offsets of heard) expect(offsets).to.deep.equal(all);
      // A small message is enough to see who is still behind.
      let count = MEMBERS + 1;
      while (count > MEMBERS) {
        await publisher.request("message", { channel: "burst", eventName: "y", message: 1 });
        count = Number((await publisher.request("members", { channel: "burst" }))["count"]);
      }
      expect(count).to.equal(MEMBERS);
      for (const one of [stalled, publisher, ...members]) one.close();
      link.close();
    }).timeout(60_000);
  });
}
