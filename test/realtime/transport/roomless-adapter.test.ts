import { once } from "node:events";
import { createServer } from "node:http";
import { expect } from "chai";
import { Server, type Socket } from "socket.io";
import { io } from "socket.io-client";
import { RoomlessAdapter } from "../../../src/realtime/transport/roomless-adapter.ts";

describe("the adapter without rooms", () => {
  it("keeps nothing of a connection, which is sent events, acks and its end as ever", async () => {
    const http = createServer();
    const server = new Server(http);
    server.adapter(RoomlessAdapter);
    const { adapter } = server.of("/");
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const address = http.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const client = io(`http://127.0.0.1:${port}`, { reconnection: false });
    try {
      const [socket]: [Socket] = await new Promise((resolve) =>
        server.once("connection", (...args) => resolve(args)),
      );
      expect([adapter.rooms.size, adapter.sids.size, socket.rooms.size]).to.deep.equal([0, 0, 0]);
      client.on("ask", (ack) => ack("heard"));
      expect(await socket.emitWithAck("ask")).to.equal("heard");
      const [[reason]] = await Promise.all([once(socket, "disconnect"), client.close()]);
      expect(reason).to.equal("client namespace disconnect");
      expect(server.of("/").sockets.size).to.equal(0);
    } finally {
      client.close();
      await server.close();
    }
  });
});
