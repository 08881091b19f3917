import { expect } from "chai";
import { type Client, type ClientOptions, createClient, type IncomingMessage } from "../../client/index.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { next } from "./fake-server.ts";

describe("client with the server", () => {
  let server: TestServer;
  let key: { id: string; secret: string };
  const clients: Client[] = [];

  function connect(options: ClientOptions = {}, secret: string | null = key.secret) {
    const client = createClient(server.url, secret, options);
    clients.push(client);
    return client;
  }

  beforeEach(async () => {
    server = await startServer();
    key = await server.createKey({ allowRealtime: true, endpoints: { mode: "full-access" } });
  });

  afterEach(async () => {
    for (const { realtime } of clients.splice(0)) realtime.close();
    await server.close();
  });

  for (const transport of ["websocket", "polling"] as const) {
    it(`exchanges messages, profiles and presence over ${transport}`, async () => {
      const ada = connect({ transports: [transport] }).realtime;
      const ben = connect({ transports: [transport], echoMessages: false }).realtime;
      await ada.join("lobby");
      await ben.updateProfile({ name: "Ben" });
      const came = next(ada.onJoin);
      expect((await ben.join("lobby")).error).to.equal(null);
      expect(await came).to.deep.equal({
        channel: "lobby",
        message: { id: ben.id, clientId: ben.clientId, data: { name: "Ben" } },
      });

      const heard = next<IncomingMessage>((fn) => ada.once("say", fn));
      const { data } = await ben.send("lobby", "say", { text: "hi" });
      expect(await heard).to.include({ channel: "lobby", id: data?.id, offset: data?.offset });
      expect((await heard).from).to.deep.equal({ id: ben.id, clientId: ben.clientId });

      const news = next<IncomingMessage>((fn) => ada.once("news", fn));
      expect((await ben.broadcast("news", 1)).error).to.equal(null);
      expect((await news).channel).to.equal(null);
      expect((await ada.getMembers("lobby")).data).to.deep.include({ count: 2, next: null });

      const gone = next(ada.onLeave);
      expect((await ben.leave("lobby")).error).to.equal(null);
      expect((await gone).message.id).to.equal(ben.id);
      expect(await ben.leave("lobby")).to.deep.equal({ data: null, error: null });
    });
  }

  it("is told why when its key loses realtime, stays away, and comes back on request", async () => {
    const { realtime } = connect();
    await realtime.join("lobby");
    const told = Promise.all([next(realtime.onClosing), next(realtime.onDisconnect)]);
    await server.patchKey(key.id, { allowRealtime: false });
    const [closing, disconnect] = await told;
    expect(closing).to.include({ code: "realtime_not_allowed", retry: false });
    expect(disconnect).to.include({ code: "realtime_not_allowed", willReconnect: false });
    expect((await realtime.open()).error?.code).to.equal("realtime_not_allowed");

    await server.patchKey(key.id, { allowRealtime: true });
    expect((await realtime.open()).error).to.equal(null);
    expect((await realtime.getMembers("lobby")).data?.count).to.equal(1);
  });

  it("tells what was missed of the members when its key may see them again", async () => {
    const { realtime } = connect();
    await realtime.join("lobby");
    const guests = await Promise.all(
      Array.from({ length: 3 }, () => server.createKey({ allowRealtime: true })),
    );
    const [early, gone, late] = guests.map(({ secret }) => connect({}, secret).realtime);
    if (early === undefined || gone === undefined || late === undefined) throw new Error("three guests");
    for (const guest of [early, gone]) await guest.join("lobby");
    expect((await realtime.getMembers("lobby")).data?.count).to.equal(3);
    const goneId = gone.id;

    await server.patchKey(key.id, { channels: [{ pattern: "**", actions: ["join"] }] });
    await gone.leave("lobby");
    await late.join("lobby");
    const told = Promise.all([next(realtime.onJoin), next(realtime.onLeave)]);
    await server.patchKey(key.id, { channels: null });
    const [came, left] = await told;
    expect([came.message.id, left.message.id]).to.deep.equal([late.id, goneId]);
  });

  it("learns from the server that its key is not known", async () => {
    const { realtime, endpoint } = connect({}, "slc_unknown");
    expect((await realtime.join("lobby")).error).to.include({ code: "invalid_api_key", status: 401 });
    expect(realtime.state).to.equal("closed");
    expect((await endpoint.get("/nothing")).error).to.include({ code: "invalid_api_key", status: 401 });
    expect((await connect().endpoint.get("/nothing")).error).to.include({ code: "not_found", status: 404 });
  });

  it("puts 250 channels back after the server was restarted", async () => {
    await server.close();
    server = await startServer({ config: { keyRequired: false } });
    const { port } = server;
    const { realtime } = connect({ ackTimeoutMs: 50_000 }, null);
    const names = Array.from({ length: 250 }, (_, index) => `channel ${index}`);
    const joined = await Promise.all(names.map((name) => realtime.join(name)));
    expect(joined.filter(({ error }) => error)).to.deep.equal([]);

    const lost = next(realtime.onDisconnect);
    await server.close();
    expect((await lost).willReconnect).to.equal(true);
    const members = realtime.getMembers("channel 249");
    server = await startServer({ config: { keyRequired: false, port } });
    const { data, error } = await members;
    expect(error).to.equal(null);
    expect(data?.count).to.equal(1);
    expect(realtime.channels).to.deep.equal(names);
    // The server that stops tells it to wait for up to five seconds.
  }).timeout(60_000);
});
