import { expect } from "chai";
import { startServer, type TestServer } from "../../helpers/server.ts";
import { SocketClient } from "../../helpers/socket-client.ts";

for (const transport of ["websocket", "polling"] as const) {
  describe(`live enforcement over ${transport}`, () => {
    let server: TestServer;
    const clients: SocketClient[] = [];
    const connect = async (apiKey: string, options: object = {}): Promise<SocketClient> => {
      const client = new SocketClient(server.url, { apiKey }, { transports: [transport], ...options });
      clients.push(client);
      return client.ready();
    };

    before(async () => {
      server = await startServer();
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.close();
    });
    after(() => server.close());

    const endings: [string, (id: string) => Promise<unknown>, string][] = [
      ["is deleted", (id) => server.deleteKey(id), "invalid_api_key"],
      ["is disabled", (id) => server.patchKey(id, { enabled: false }), "disabled_api_key"],
      ["loses realtime", (id) => server.patchKey(id, { allowRealtime: false }), "realtime_not_allowed"],
      ["has expired", (id) => server.patchKey(id, { expiresAt: "2020-01-01T00:00:00Z" }), "expired_api_key"],
      [
        "moves to other addresses",
        (id) => server.patchKey(id, { ips: { mode: "specified", list: ["10.0.0.1"] } }),
        "ip_not_authorized",
      ],
    ];
    for (const [what, change, code] of endings) {
      it(`tells and closes the connections of a key that ${what}, and nobody else`, async () => {
        const key = await server.createKey({ allowRealtime: true });
        const bystander = await connect((await server.createKey({ allowRealtime: true })).secret);
        const victim = await connect(key.secret, { reconnection: true, reconnectionDelay: 10 });
        await bystander.request("join", { channel: "room" });
        await victim.request("join", { channel: "room" });
        await change(key.id);
        // The API has answered: nothing that is sent from now on reaches the victim.
        await bystander.request("message", { channel: "room", eventName: "secret", message: 1 });
        expect(await victim.next("connection:closing")).to.include({ code, retry: false });
        expect(await victim.next("disconnect")).to.deep.equal({ value: "io server disconnect" });
        expect(victim.pending("secret")).to.deep.equal([]);
        expect((await bystander.next("channel:leave"))["message"]).to.have.property("clientId");
        await bystander.settle();
        expect(bystander.pending("connection:closing")).to.deep.equal([]);
        // socket.io-client stays away by itself.
        expect(victim.socket.active).to.equal(false);
      });
    }

    it("fires expiry at its instant", async () => {
      const expiresAt = new Date(Date.now() + 400);
      const key = await server.createKey({ allowRealtime: true, expiresAt: expiresAt.toISOString() });
      const client = await connect(key.secret);
      expect(await client.next("connection:closing")).to.include({ code: "expired_api_key" });
      expect(Date.now() - expiresAt.getTime()).to.be.within(0, 500);
    });

    it("ends the memberships that a change of channel rules takes away, and only those", async () => {
      const key = await server.createKey({ allowRealtime: true });
      const client = await connect(key.secret);
      for (const channel of ["chat:1", "admin:1"]) await client.request("join", { channel });
      await server.patchKey(key.id, { channels: [{ pattern: "chat:*", actions: ["join", "publish"] }] });
      expect(await client.next("channel:closed")).to.include({
        channel: "admin:1",
        code: "channel_not_allowed",
      });
      const denied = await client.request("message", { channel: "admin:1", eventName: "x", message: 1 });
      expect(denied).to.have.nested.property("error.code", "channel_not_allowed");
      await client.request("message", { channel: "chat:1", eventName: "still", message: 1 });
      await client.next("still");
    });

    it("lets members hear who comes and goes only with the presence right, as it is now", async () => {
      const key = await server.createKey({
        allowRealtime: true,
        channels: [{ pattern: "**", actions: ["join"] }],
      });
      const other = await server.createKey({ allowRealtime: true });
      const [watcher, guest] = [await connect(key.secret), await connect(other.secret)];
      await watcher.request("join", { channel: "room" });
      await guest.request("join", { channel: "room" });
      expect(await watcher.request("members", { channel: "room" })).to.have.nested.property(
        "error.code",
        "channel_not_allowed",
      );
      expect(watcher.pending("channel:join")).to.deep.equal([]);
      await server.patchKey(key.id, { channels: [{ pattern: "**", actions: ["join", "presence"] }] });
      // It has missed the join: it is told to read the list.
      expect(await watcher.next("channel:presence")).to.deep.equal({
        channel: "room",
        count: 2,
        mode: "events",
      });
      await guest.request("leave", { channel: "room" });
      await watcher.next("channel:leave");
      // What it has already is not given to it anew.
      await server.patchKey(key.id, { name: "the same rights" });
      await watcher.settle();
      expect(watcher.pending("channel:presence")).to.deep.equal([]);
    });
  });
}

describe("polling requests after CONNECT", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  /** Engine.IO over HTTP by hand. */
  const poller = (origin?: string) => {
    const base = `${server.url}/realtime/?EIO=4&transport=polling`;
    const headers = (from: string | undefined): Record<string, string> =>
      from === undefined ? {} : { origin: from };
    let sid = "";
    return {
      open: async (): Promise<void> => {
        const response = await fetch(base, { headers: headers(origin) });
        sid = String(JSON.parse((await response.text()).slice(1)).sid);
      },
      post: (body: string, from = origin) =>
        fetch(`${base}&sid=${sid}`, {
          method: "POST",
          body,
          headers: { ...headers(from), "content-type": "text/plain" },
        }),
      poll: (from = origin) => fetch(`${base}&sid=${sid}`, { headers: headers(from) }),
      upgrade: (from: string) =>
        fetch(`${base.replace("polling", "websocket")}&sid=${sid}`, {
          headers: { ...headers(from) },
        }),
    };
  };

  /** One who is in, with everything fetched that came with it. */
  const openWith = async (secret: string) => {
    const session = poller();
    await session.open();
    await session.post(`40{"apiKey":"${secret}"}`);
    expect(await (await session.poll()).text()).to.include("connection:ready");
    return session;
  };

  /** What has been fetched by one whose key was deleted, poll by poll. */
  const lastAnswers = async (isWaiting: boolean): Promise<string[][]> => {
    const { id, secret } = await server.createKey({ allowRealtime: true });
    const session = await openWith(secret);
    const waiting = isWaiting ? session.poll() : undefined;
    await server.deleteKey(id);
    const answers: string[][] = [];
    for (let answer = waiting; answers.at(-1)?.at(-1) !== "1"; answer = undefined) {
      const response = await (answer ?? session.poll());
      expect(response.status).to.equal(200);
      answers.push((await response.text()).split("\x1e"));
    }
    return answers;
  };

  for (const isWaiting of [true, false]) {
    it(`tell one who ${isWaiting ? "waits" : "comes back"} all but the end in one answer: socket.io-client does not hear what comes with the end`, async () => {
      const [told, ended, ...more] = await lastAnswers(isWaiting);
      expect(told).to.have.lengthOf(2);
      expect(told?.[0]).to.include("connection:closing").and.include("invalid_api_key");
      expect(told?.[1]).to.equal("41");
      expect(ended?.at(-1)).to.equal("1");
      expect(more).to.deep.equal([]);
    });
  }

  it("takes the origin from the POST that carries CONNECT", async () => {
    const key = await server.createKey({
      allowRealtime: true,
      domains: { mode: "specified", list: ["https://a.example.com"] },
    });
    const session = poller();
    await session.open();
    expect((await session.post(`40{"apiKey":"${key.secret}"}`, "https://a.example.com")).status).to.equal(
      200,
    );
    expect(await (await session.poll()).text()).to.match(/^40\{/);
  });

  it("takes no origin from a handshake of the server's own page, which has none", async () => {
    const list = ["https://own.example.com"];
    const key = await server.createKey({ allowRealtime: true, domains: { mode: "specified", list } });
    const base = `${server.url}/realtime/?EIO=4&transport=polling`;
    const same = { "sec-fetch-site": "same-origin" };
    const from = { origin: "https://own.example.com", "content-type": "text/plain" };
    const sid = String(JSON.parse((await (await fetch(base, { headers: same })).text()).slice(1)).sid);
    const url = `${base}&sid=${sid}`;
    const post = (body: string, headers: Record<string, string>) =>
      fetch(url, { method: "POST", body, headers: { ...same, ...headers } });
    expect((await post(`40{"apiKey":"${key.secret}"}`, from)).status).to.equal(200);
    expect(await (await fetch(url, { headers: same })).text()).to.match(/^40\{/);
    expect((await post('42["update",{"data":1}]', from)).status).to.equal(200);
    expect(
      (await post('42["update",{"data":2}]', { ...from, origin: "https://b.example.com" })).status,
    ).to.equal(403);
  });

  it("takes the first origin that a session without one names, where its key allows it", async () => {
    const key = await server.createKey({ allowRealtime: true });
    const session = await openWith(key.secret);
    expect((await session.post('42["update",{"data":1}]', "https://a.example.com")).status).to.equal(200);
    const connections = await server.admin("/connections");
    expect(JSON.stringify(connections.body)).to.include("https://a.example.com");
    expect((await session.post('42["update",{"data":2}]')).status).to.equal(200);
    expect((await session.post('42["update",{"data":3}]', "https://b.example.com")).status).to.equal(403);
  });

  it("does not take the origin of another request for that of CONNECT", async () => {
    const key = await server.createKey({
      allowRealtime: true,
      domains: { mode: "specified", list: ["https://a.example.com"] },
    });
    const session = poller();
    await session.open();
    expect((await session.post(`40{"apiKey":"${key.secret}"}`)).status).to.equal(200);
    expect(await (await session.poll()).text()).to.include("missing_request_origin");
  });

  it("refuses a later request from another origin and lets one without pass", async () => {
    const key = await server.createKey({ allowRealtime: true });
    const session = poller("https://a.example.com");
    await session.open();
    await session.post(`40{"apiKey":"${key.secret}"}`);
    expect(await (await session.poll()).text()).to.match(/^40\{/);
    const refused = await session.post('42["update",{"data":1}]', "https://b.example.com");
    expect(refused.status).to.equal(403);
    expect(await refused.json()).to.include({ code: "session_mismatch" });
  });

  it("lets a closing poller fetch why it is closed, and takes what it still posts without doing it", async () => {
    const { id, secret } = await server.createKey({ allowRealtime: true });
    const other = await server.createKey({ allowRealtime: true });
    const member = await new SocketClient(server.url, { apiKey: other.secret }).ready();
    await member.request("join", { channel: "a" });
    const session = await openWith(secret);
    await session.post('420["join",{"channel":"a"}]');
    expect(await (await session.poll()).text()).to.include('430[{"ok":true');
    const say = (message: string) =>
      session.post(`42["message",${JSON.stringify({ channel: "a", eventName: "m", message })}]`);
    expect((await say("before")).status).to.equal(200);
    await member.next("m");
    await server.deleteKey(id);
    expect((await say("after")).status).to.equal(200);
    expect(await (await session.poll()).text())
      .to.include("connection:closing")
      .and.to.include("invalid_api_key");
    expect((await say("later")).status).to.be.oneOf([200, 400]);
    await member.request("message", { channel: "a", eventName: "last", message: "own" });
    await member.next("last");
    expect(member.pending("m")).to.deep.equal([]);
    member.close();
  });
});
