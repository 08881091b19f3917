import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SilentProxy } from "../helpers/silent-proxy.ts";
import { SocketClient } from "../helpers/socket-client.ts";

type Transport = "websocket" | "polling";

describe("presence", () => {
  let server: TestServer;
  let key: { id: string; secret: string };
  const clients: SocketClient[] = [];

  before(async () => {
    server = await startServer({
      config: {
        channels: [
          { pattern: "small:*", presence: { maxMembers: 2 } },
          { pattern: "number:*", presence: { maxMembers: 0 } },
          { pattern: "silent", presence: false },
        ],
      },
    });
    key = await server.createKey({ allowRealtime: true });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  after(() => server.close());

  const connect = async (
    options: { resume?: unknown; transport?: Transport; url?: string; apiKey?: string } = {},
  ) => {
    const { resume, transport = "websocket", url = server.url, apiKey = key.secret } = options;
    const client = new SocketClient(url, { apiKey, resume }, { transports: [transport] });
    clients.push(client);
    const ready = await client.next("connection:ready");
    return { client, id: ready["id"], clientId: ready["clientId"], resume: ready["resume"] };
  };
  const member = async (channel: string, options: Parameters<typeof connect>[0] = {}) => {
    const one = await connect(options);
    expect(await one.client.request("join", { channel })).to.include({ ok: true });
    return one;
  };
  const membersOf = async (channel: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`${server.url}/channels/members?channel=${encodeURIComponent(channel)}`, {
      headers: { authorization: `Bearer ${key.secret}` },
    });
    return { status: response.status, ...Object(await response.json()) };
  };
  /** What was told of a channel's members, in its order. */
  const listen = (client: SocketClient): { event: string; payload: Record<string, unknown> }[] => {
    const heard: { event: string; payload: Record<string, unknown> }[] = [];
    client.socket.onAny((event: string, payload: Record<string, unknown>) => {
      if (/^channel:(join|leave|update|presence)$/.test(event)) heard.push({ event, payload });
    });
    return heard;
  };
  const idOf = ({ payload }: { payload: Record<string, unknown> }): unknown => Object(payload["message"]).id;

  it("tells the number of members instead of each where they are more than configured", async () => {
    const ann = await member("small:a");
    const heard = listen(ann.client);
    const bob = await member("small:a");
    const eve = await member("small:a");
    expect(await ann.client.next("channel:presence")).to.deep.equal({
      channel: "small:a",
      count: 3,
      mode: "counts",
    });
    await eve.client.request("update", { data: { name: "Eve" } });
    eve.client.close();
    const again = { channel: "small:a", count: 2, mode: "events" };
    expect(await ann.client.next("channel:presence")).to.deep.equal(again);
    expect(
      await bob.client.next("channel:presence", (payload) => Object(payload).mode === "events"),
    ).to.deep.equal(again);
    expect((await ann.client.request("members", { channel: "small:a" }))["count"]).to.equal(2);
    bob.client.close();
    await ann.client.next("channel:leave");
    expect(heard.map(({ event }) => event)).to.deep.equal([
      "channel:join",
      "channel:presence",
      "channel:presence",
      "channel:leave",
    ]);
    expect(idOf(heard[3] ?? { payload: {} })).to.equal(bob.id);
  });

  it("tells one who comes to a large channel that it is one", async () => {
    const first = await member("number:a");
    expect(await first.client.next("channel:presence")).to.include({ count: 1, mode: "counts" });
    const second = await member("number:a");
    expect(await second.client.next("channel:presence")).to.include({ count: 2, mode: "counts" });
    expect(await first.client.next("channel:presence")).to.include({ count: 2, mode: "counts" });
    expect(first.client.pending("channel:join")).to.deep.equal([]);
  });

  it("tells no number to a key without the presence right", async () => {
    const channels = [{ pattern: "**", actions: ["join", "publish"] }];
    const plain = await server.createKey({ allowRealtime: true, channels });
    const blind = await member("number:b", { apiKey: plain.secret });
    const seeing = await member("number:b");
    await seeing.client.next("channel:presence");
    await blind.client.settle();
    expect(blind.client.pending("channel:presence")).to.deep.equal([]);
  });

  it("neither tells nor lists members where presence is turned off", async () => {
    const ann = await member("silent");
    const bob = await member("silent");
    await bob.client.request("message", { channel: "silent", eventName: "n", message: 1 });
    await ann.client.next("n");
    expect(await ann.client.request("members", { channel: "silent" })).to.have.nested.property(
      "error.code",
      "unsupported",
    );
    expect(await membersOf("silent")).to.include({ status: 501, code: "unsupported" });
    const agnost = await fetch(`${server.url}/agnost/realtime/get-members`, {
      method: "POST",
      headers: { authorization: `Bearer ${key.secret}`, "content-type": "application/json" },
      body: JSON.stringify({ channel: "silent" }),
    });
    expect(agnost.status).to.equal(501);
    bob.client.close();
    await ann.client.settle();
    expect(ann.client.pending("channel:join").concat(ann.client.pending("channel:presence"))).to.deep.equal(
      [],
    );
  });

  it("lists nobody who may not stay once the admin API has answered", async () => {
    const doomed = await server.createKey({ allowRealtime: true });
    const victims = await Promise.all(
      Array.from({ length: 120 }, () => member("doomed", { apiKey: doomed.secret })),
    );
    expect(await membersOf("doomed")).to.include({ count: victims.length });
    await server.deleteKey(doomed.id);
    expect(await membersOf("doomed")).to.deep.include({ members: [], count: 0 });
  });

  it("takes no word of a client for who it is", async () => {
    const observer = await member("names");
    const one = await member("names");
    await observer.client.next("channel:join", (payload) => Object(Object(payload).message).id === one.id);
    const liar = await connect({ resume: one.clientId });
    const claim = { id: one.id, clientId: one.clientId };
    await liar.client.request("join", { channel: "names", ...claim, member: claim, data: claim });
    await liar.client.request("update", { ...claim, data: claim });
    const joined = await observer.client.next(
      "channel:join",
      (payload) => Object(Object(payload).message).id === liar.id,
    );
    expect(joined["message"]).to.deep.equal({ id: liar.id, clientId: liar.clientId, data: null });
    const updated = await observer.client.next("channel:update");
    expect(updated["message"]).to.deep.equal({ id: liar.id, clientId: liar.clientId, data: claim });
    expect(liar.clientId).to.not.equal(one.clientId);
    // The profile is of the connection: a client that comes back says it again.
    const back = await member("names", { resume: liar.resume });
    expect(back.clientId).to.equal(liar.clientId);
    const { members } = await observer.client.request("members", { channel: "names" });
    expect(members).to.deep.include({ id: back.id, clientId: back.clientId, data: null });
  });

  for (const [before, after] of [
    ["websocket", "websocket"],
    ["websocket", "polling"],
    ["polling", "websocket"],
    ["polling", "polling"],
  ] as const) {
    describe(`of a client that comes back over ${after} while its ${before} connection is half-open`, () => {
      let proxy: SilentProxy;
      beforeEach(async () => {
        proxy = await new SilentProxy(server.port).start();
      });
      afterEach(() => proxy.close());

      const room = `back:${before}:${after}`;

      it("never ends, and changes its id in one step", async () => {
        const observer = await member(room);
        const old = await member(room, { url: proxy.url, transport: before });
        await observer.client.next("channel:join");
        await observer.client.next("channel:join");
        const heard = listen(observer.client);
        const oldEnded = proxy.silence();
        const back = await connect({ resume: old.resume, transport: after });
        expect(back.clientId).to.equal(old.clientId);
        const between = await observer.client.request("members", { channel: room });
        expect(JSON.stringify(between["members"])).to.include(String(old.clientId));
        expect(heard).to.deep.equal([]);
        await back.client.request("join", { channel: room });
        await oldEnded;
        await observer.client.next("channel:join");
        await observer.client.settle();
        expect(heard.map((one) => [one.event, idOf(one)])).to.deep.equal([
          ["channel:leave", old.id],
          ["channel:join", back.id],
        ]);
        const { members, count } = await observer.client.request("members", { channel: room });
        expect(count).to.equal(2);
        expect(members).to.deep.include({ id: back.id, clientId: back.clientId, data: null });
      });
    });
  }

  it("of a client that comes back and does not join again ends after a moment", async () => {
    const observer = await member("gone");
    const old = await member("gone");
    await observer.client.next("channel:join", (payload) => Object(Object(payload).message).id === old.id);
    const back = await connect({ resume: old.resume });
    const left = await observer.client.next("channel:leave");
    expect(left["message"]).to.include({ id: old.id, clientId: back.clientId });
    expect(await membersOf("gone")).to.include({ count: 1 });
  });

  it("of a client that was taken over ends at once when it says so or goes", async () => {
    const observer = await member("both");
    for (const end of ["leave", "disconnect", "revoke", "withdraw"]) {
      const own = await server.createKey({ allowRealtime: true });
      const old = await member("both", { apiKey: own.secret });
      const back = await connect({ resume: old.resume, apiKey: own.secret });
      expect(await membersOf("both")).to.include({ count: 2 });
      if (end === "leave") await back.client.request("leave", { channel: "both" });
      else if (end === "revoke") await server.deleteKey(own.id);
      else if (end === "withdraw")
        await server.patchKey(own.id, { channels: [{ pattern: "other", actions: ["join"] }] });
      else back.client.close();
      if (end !== "disconnect") expect(await membersOf("both"), end).to.include({ count: 1 });
      const left = await observer.client.next("channel:leave");
      expect(left["message"], end).to.include({ id: old.id });
      expect(await membersOf("both"), end).to.include({ count: 1 });
      back.client.close();
    }
  });
});
