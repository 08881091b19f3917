import { expect } from "chai";
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
        expect(await client.next("connection:closing")).to.include({ code: "server_shutdown", retry: true });
        // Of another reason, socket.io-client would not come back.
        await client.next("engine:close", (reason) => reason === "transport close");
      }
      await closed;
      here.close();
      late.close();
    });
  });
}
