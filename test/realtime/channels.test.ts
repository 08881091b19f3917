import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

for (const transport of ["websocket", "polling"] as const) {
  describe(`channels over ${transport}`, () => {
    let server: TestServer;
    let secret: string;
    const clients: SocketClient[] = [];
    const connect = async (auth: object = {}): Promise<SocketClient> => {
      const client = new SocketClient(server.url, { apiKey: secret, ...auth }, { transports: [transport] });
      clients.push(client);
      return client.ready();
    };

    before(async () => {
      server = await startServer();
      secret = (await server.createKey({ allowRealtime: true })).secret;
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.close();
    });
    after(() => server.close());

    it("greets a connection with its ids", async () => {
      const client = new SocketClient(server.url, { apiKey: secret }, { transports: [transport] });
      clients.push(client);
      const ready = await client.next("connection:ready");
      expect(ready).to.have.keys("id", "clientId", "resume", "timestamp");
      expect(ready["id"]).to.equal(client.socket.id);
    });

    it("delivers a message to every member with one position, the sender included", async () => {
      const [ann, bob] = [await connect(), await connect()];
      const joined = await ann.request("join", { channel: "chat" });
      expect(joined).to.include({ ok: true, channel: "chat", recovered: false });
      await bob.request("join", { channel: "chat" });
      const sent = await ann.request("message", {
        channel: "chat",
        eventName: "say",
        message: { text: "hi" },
      });
      expect(sent).to.include({ ok: true, epoch: joined["epoch"] });
      const heard = await bob.next("say");
      expect(heard).to.deep.include({
        channel: "chat",
        message: { text: "hi" },
        offset: sent["offset"],
        id: sent["id"],
      });
      expect(heard["from"]).to.have.property("id", ann.socket.id);
      expect(await ann.next("say")).to.deep.equal(heard);
    });

    it("does not echo where the client, or the request, does not want it", async () => {
      const [quiet, loud] = [await connect({ echoMessages: false }), await connect()];
      await quiet.request("join", { channel: "echo" });
      await loud.request("join", { channel: "echo" });
      await quiet.request("message", { channel: "echo", eventName: "a", message: 1 });
      await loud.request("message", { channel: "echo", eventName: "b", message: 2, echo: false });
      await quiet.request("message", { channel: "echo", eventName: "c", message: 3, echo: true });
      await loud.next("a");
      await loud.next("c");
      await quiet.next("b");
      await quiet.next("c");
      await quiet.settle();
      await loud.settle();
      expect(quiet.pending("a")).to.deep.equal([]);
      expect(loud.pending("b")).to.deep.equal([]);
    });

    it("sends a message without a channel to everyone connected, once", async () => {
      const [ann, bob] = [await connect(), await connect()];
      await bob.request("join", { channel: "somewhere" });
      const sent = await ann.request("message", { eventName: "news", message: ["x"] });
      expect(sent).to.have.keys("ok", "id");
      for (const client of [ann, bob]) {
        expect(await client.next("news")).to.deep.include({ channel: null, message: ["x"], id: sent["id"] });
        await client.settle();
        expect(client.pending("news")).to.deep.equal([]);
      }
    });

    it("tells members who joins, changes and leaves", async () => {
      const [ann, bob] = [await connect(), await connect()];
      await ann.request("join", { channel: "room" });
      await ann.next("channel:join", () => true);
      await bob.request("update", { data: { name: "Bob" } });
      await bob.request("join", { channel: "room" });
      const who = { id: bob.socket.id };
      const joined = await ann.next("channel:join");
      expect(joined["channel"]).to.equal("room");
      expect(joined["message"]).to.include(who).and.to.have.deep.property("data", { name: "Bob" });
      await bob.request("update", { data: { name: "Robert" } });
      expect((await ann.next("channel:update"))["message"]).to.have.deep.property("data", { name: "Robert" });
      const { members, count, next } = await ann.request("members", { channel: "room" });
      expect({ count, next }).to.deep.equal({ count: 2, next: null });
      expect(members).to.be.an("array").with.length(2);
      const page = await ann.request("members", { channel: "room", limit: 1 });
      const rest = await ann.request("members", { channel: "room", limit: 1, after: page["next"] });
      expect(rest["members"]).to.have.nested.property("[0].id", bob.socket.id);
      await bob.request("leave", { channel: "room" });
      expect((await ann.next("channel:leave"))["message"]).to.include(who);
      await bob.request("join", { channel: "room" });
      await ann.next("channel:join");
      bob.close();
      expect((await ann.next("channel:leave"))["message"]).to.include(who);
    });

    it("stops delivery with a leave", async () => {
      const [ann, bob] = [await connect(), await connect()];
      await ann.request("join", { channel: "short" });
      expect(await ann.request("leave", { channel: "short" })).to.deep.equal({ ok: true });
      await bob.request("message", { channel: "short", eventName: "late", message: null });
      await ann.settle();
      expect(ann.pending("late")).to.deep.equal([]);
      expect(await ann.request("leave", { channel: "short" })).to.have.nested.property(
        "error.code",
        "not_a_member",
      );
    });

    it("publishes without membership and without an acknowledgement, in order", async () => {
      const [ann, bob] = [await connect(), await connect()];
      await bob.request("join", { channel: "stream" });
      for (let i = 0; i < 200; i += 1)
        ann.socket.emit("message", { channel: "stream", eventName: "n", message: i });
      const first = Number((await bob.next("n"))["offset"]);
      for (let i = 1; i < 200; i += 1) {
        expect(await bob.next("n")).to.include({ message: i, offset: first + i });
      }
    });

    it("hears its own message when it joins and sends without waiting", async () => {
      const ann = await connect();
      ann.socket.emit("join", { channel: "eager" });
      ann.socket.emit("message", { channel: "eager", eventName: "mine", message: 1 });
      expect(await ann.next("mine")).to.include({ channel: "eager", message: 1 });
    });

    it("acknowledges a repeated id with the first position and sends it once", async () => {
      const [ann, bob] = [await connect(), await connect()];
      await bob.request("join", { channel: "once" });
      const say = { channel: "once", eventName: "say", message: { n: 1 }, id: "m-1" };
      const first = await ann.request("message", say);
      expect(await ann.request("message", say)).to.deep.equal(first);
      expect(await ann.request("message", { ...say, message: { n: 2 } })).to.have.nested.property(
        "error.code",
        "id_conflict",
      );
      // An id is one's own: another client, and another channel, may use it.
      expect(await bob.request("message", say)).to.include({ ok: true, offset: Number(first["offset"]) + 1 });
      expect(await ann.request("message", { ...say, channel: "elsewhere" })).to.include({ ok: true });
      await bob.next("say");
      await bob.next("say");
      await bob.settle();
      expect(bob.pending("say")).to.deep.equal([]);
    });

    it("carries binary payloads", async () => {
      const [ann, bob] = [await connect(), await connect()];
      await bob.request("join", { channel: "bytes" });
      await ann.request("message", {
        channel: "bytes",
        eventName: "blob",
        message: { data: Buffer.from([1, 2, 255]) },
      });
      const { message } = await bob.next("blob");
      expect(message)
        .to.have.property("data")
        .that.deep.equals(Buffer.from([1, 2, 255]));
    });
  });
}
