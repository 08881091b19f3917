import { expect } from "chai";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

for (const transport of ["websocket", "polling"] as const) {
  describe(`volatile events over ${transport}`, () => {
    let server: TestServer;
    let secret: string;
    let sender: SocketClient;

    before(async () => {
      server = await startServer();
      secret = (await server.createKey({ allowRealtime: true })).secret;
    });
    beforeEach(async () => {
      sender = await new SocketClient(server.url, { apiKey: secret }, { transports: [transport] }).ready();
    });
    afterEach(() => sender.close());
    after(() => server.close());

    /** Sent as soon as the transport takes it; socket.io-client drops a volatile event until then. */
    const sendVolatile = async (payload: object): Promise<Record<string, unknown>> => {
      for (;;) {
        await sender.settle();
        if (sender.socket.io.engine.transport.writable) break;
      }
      return toRecord(await sender.socket.volatile.timeout(5_000).emitWithAck("message", payload));
    };

    it("are acknowledged, heard, retained and placed as any other message", async () => {
      await sender.request("join", { channel: "v" });
      const say = { channel: "v", eventName: "n" };
      const before = sender.request("message", { ...say, message: 1 });
      expect(await before).to.include({ ok: true, offset: 1 });
      const ack = await sendVolatile({ ...say, message: Buffer.from("two"), id: "once" });
      expect(ack).to.include({ ok: true, id: "once", offset: 2 });
      expect(await sendVolatile({ ...say, message: Buffer.from("two"), id: "once" })).to.deep.equal(ack);
      expect(await sender.next("n")).to.include({ message: 1 });
      const heard = await sender.next("n");
      expect(heard).to.include({ id: "once", offset: 2 });
      expect(heard["message"]).to.deep.equal(Buffer.from("two"));
      expect(await sender.request("history", { channel: "v" })).to.include({ offset: 2, complete: true });
    });

    it("are refused as any other message", async () => {
      const answer = await sendVolatile({ channel: "v", eventName: "connect" });
      expect(answer).to.have.nested.property("error.code", "reserved_event");
      const conflict = { channel: "w", eventName: "n", id: "same" };
      await sendVolatile({ ...conflict, message: 1 });
      expect(await sendVolatile({ ...conflict, message: 2 })).to.have.nested.property(
        "error.code",
        "id_conflict",
      );
    });

    it("that were dropped for want of a connection are never sent later", async () => {
      await sender.request("join", { channel: "gone" });
      const witness = await new SocketClient(server.url, { apiKey: secret }).ready();
      await witness.request("join", { channel: "gone" });
      sender.socket.disconnect();
      sender.socket.volatile.emit("message", { channel: "gone", eventName: "n", message: "dropped" });
      sender.socket.connect();
      await sender.next("connection:ready");
      await sender.request("message", { channel: "gone", eventName: "n", message: "kept" });
      expect(await witness.next("n")).to.include({ message: "kept", offset: 1 });
      witness.close();
    });
  });
}
