import { expect } from "chai";
import { io, type Socket } from "socket.io-client";
import { startServer, type TestServer } from "../helpers/server.ts";

/** What an application written for Agnost does: nothing here knows Sluice. */
describe("an Agnost client", () => {
  let server: TestServer;
  let apiKey: string;
  const sockets: Socket[] = [];

  before(async () => {
    server = await startServer();
    apiKey = (await server.createKey({ allowRealtime: true })).secret;
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });
  after(() => server.close());

  const open = async (path: string): Promise<Socket> => {
    const socket = io(server.url, {
      reconnection: true,
      forceNew: true,
      auth: { apiKey, echoMessages: true, envId: "env-1", session: "session-1" },
      path,
    });
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    });
    return socket;
  };
  const once = (socket: Socket, event: string): Promise<Record<string, unknown>> =>
    new Promise((resolve) => {
      socket.once(event, resolve);
    });

  for (const path of ["/realtime/", "/realtime/realtime/"]) {
    it(`works unmodified over ${path}`, async () => {
      const [ann, bob] = [await open(path), await open(path)];
      const annJoined = once(ann, "channel:join");
      ann.emit("join", { channel: "chat" });
      expect(await annJoined).to.deep.include({ channel: "chat" });

      const bobSeen = once(ann, "channel:join");
      bob.emit("join", { channel: "chat" });
      expect(await bobSeen).to.have.nested.property("message.id", bob.id);

      const updated = once(ann, "channel:update");
      bob.emit("update", { data: { name: "Bob" } });
      expect(await updated).to.deep.nested.include({ "message.data.name": "Bob", channel: "chat" });

      const heard = [once(ann, "chat-message"), once(bob, "chat-message")];
      bob.emit("message", { channel: "chat", eventName: "chat-message", message: { text: "hi" } });
      for (const message of await Promise.all(heard)) {
        expect(message).to.deep.include({ channel: "chat", message: { text: "hi" } });
      }

      const broadcast = once(ann, "announcement");
      bob.emit("message", { eventName: "announcement", message: "all" });
      expect(await broadcast).to.include({ message: "all" });

      const response = await fetch(`${server.url}/env-1/agnost/realtime/get-members`, {
        method: "POST",
        headers: { authorization: apiKey, "content-type": "application/json" },
        body: JSON.stringify({ channel: "chat" }),
      });
      const members: unknown = await response.json();
      expect(members).to.be.an("array").with.length(2);
      expect(members).to.have.nested.property("[1].data.name", "Bob");

      const left = once(ann, "channel:leave");
      bob.emit("leave", { channel: "chat" });
      expect(await left).to.have.nested.property("message.id", bob.id);
    });
  }
});
