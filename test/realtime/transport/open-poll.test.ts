import { queryObjects } from "node:v8";
import { expect } from "chai";
import { OpenPoll } from "../../../src/realtime/transport/open-poll.ts";
import { startServer } from "../../helpers/server.ts";
import { SocketClient } from "../../helpers/socket-client.ts";

describe("the polls of clients that have moved to a WebSocket", () => {
  it("are not kept for as long as the connections live", async () => {
    const server = await startServer();
    const { secret } = await server.createKey({ allowRealtime: true });
    const before = queryObjects(OpenPoll, { format: "count" });
    const clients: SocketClient[] = [];
    for (let index = 0; index < 20; index += 1) {
      const client = new SocketClient(
        server.url,
        { apiKey: secret },
        { transports: ["polling", "websocket"] },
      );
      const { io } = client.socket;
      const upgraded = new Promise((resolve) => {
        io.once("open", () => io.engine.once("upgrade", resolve));
      });
      clients.push(await client.ready());
      await upgraded;
      // What is asked over the WebSocket is answered after the server has gone over to it.
      expect(await client.request("join", { channel: "room" })).to.include({ ok: true });
    }
    expect(queryObjects(OpenPoll, { format: "count" })).to.be.at.most(before);
    for (const client of clients) client.close();
    await server.close();
  });
});
