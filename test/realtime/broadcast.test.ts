import { expect } from "chai";
import { type CreatedKey, startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const BROADCAST_RULE = { pattern: "**", actions: ["join", "publish", "broadcast"] };

describe("a broadcast", () => {
  let server: TestServer;
  let page: CreatedKey;
  let other: CreatedKey;
  const clients: SocketClient[] = [];

  before(async () => {
    server = await startServer({
      config: {
        keyRequired: false,
        endpoints: [
          {
            id: "announce",
            method: "POST",
            path: "/announce",
            handler: ({ realtime }) => realtime.broadcast("news", "by a handler"),
          },
        ],
      },
    });
  });
  beforeEach(async () => {
    page = await server.createKey({ allowRealtime: true });
    other = await server.createKey({ allowRealtime: true, endpoints: { mode: "full-access" } });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  after(() => server.close());

  const connect = async (secret?: string): Promise<SocketClient> => {
    const client = new SocketClient(server.url, secret === undefined ? {} : { apiKey: secret });
    clients.push(client);
    return client.ready();
  };
  const post = async (path: string, body: object, secret?: string): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      },
      body: JSON.stringify(body),
    });
  const say = (client: SocketClient, message: unknown, more: object = {}) =>
    client.request("message", { eventName: "news", message, ...more });
  /** What a client has heard of broadcasts, once everything that was sent before is there. */
  const heard = async (client: SocketClient): Promise<unknown[]> => {
    await client.settle();
    return client.pending("news").map((payload) => Reflect.get(Object(payload), "message"));
  };

  it("reaches the connections of its key alone, over a socket and over HTTP", async () => {
    const [ann, ben] = [await connect(page.secret), await connect(page.secret)];
    const [stranger, keyless] = [await connect(other.secret), await connect()];
    expect(await say(ann, 1)).to.include({ ok: true });
    expect(await say(ann, 2, { echo: false })).to.include({ ok: true });
    expect(
      (await post("/channels/broadcast", { eventName: "news", message: 3 }, page.secret)).status,
    ).to.equal(200);
    // Whoever comes later is of the key, too.
    const late = await connect(page.secret);
    expect(await say(ben, 4)).to.include({ ok: true });
    expect(await heard(ann)).to.deep.equal([1, 3, 4]);
    expect(await heard(ben)).to.deep.equal([1, 2, 3, 4]);
    expect(await heard(late)).to.deep.equal([4]);
    expect(await heard(stranger)).to.deep.equal([]);
    expect(await heard(keyless)).to.deep.equal([]);
  });

  it("reaches everyone connected where the key says so", async () => {
    const loud = await server.createKey({ allowRealtime: true, broadcastTo: "everyone" });
    const all = [await connect(loud.secret), await connect(page.secret), await connect()];
    expect(await say(all[0] ?? (await connect()), 1)).to.include({ ok: true });
    expect(
      (await post("/channels/broadcast", { eventName: "news", message: 2 }, loud.secret)).status,
    ).to.equal(200);
    for (const client of all) expect(await heard(client)).to.deep.equal([1, 2]);
  });

  it("of a connection without a key reaches those without a key", async () => {
    const [ann, ben, keyed] = [await connect(), await connect(), await connect(page.secret)];
    expect(await say(ann, 1)).to.include({ ok: true });
    expect((await post("/channels/broadcast", { eventName: "news", message: 2 })).status).to.equal(200);
    for (const client of [ann, ben]) expect(await heard(client)).to.deep.equal([1, 2]);
    expect(await heard(keyed)).to.deep.equal([]);
  });

  it("of a handler reaches everyone connected, as the server's", async () => {
    const all = [await connect(page.secret), await connect(other.secret), await connect()];
    expect((await post("/api/announce", {}, other.secret)).status).to.equal(200);
    for (const client of all) {
      expect(await client.next("news")).to.include({ message: "by a handler", from: null });
    }
  });

  it("over HTTP is refused while nobody of its key is connected, with the setting's name, and costs nothing", async () => {
    const limits = [{ name: "hourly", limit: 1, windowSeconds: 3600, per: "key" }];
    const lone = await server.createKey({ allowRealtime: true, limits });
    const broadcast = () => post("/channels/broadcast", { eventName: "news", message: 1 }, lone.secret);
    const refused = await broadcast();
    expect(refused.status).to.equal(403);
    const problem = await refused.json();
    expect(problem).to.include({ code: "channel_not_allowed" });
    expect(problem).to.have.property("detail").that.includes('set broadcastTo to "everyone"');
    const listener = await connect(lone.secret);
    expect((await broadcast()).status).to.equal(200);
    expect(await heard(listener)).to.deep.equal([1]);
    expect((await broadcast()).status).to.equal(429);
    await server.patchKey(lone.id, { limits: null, broadcastTo: "everyone" });
    listener.close();
    expect((await broadcast()).status).to.equal(200);
    // Who may not broadcast at all is told of that, as before.
    await server.patchKey(lone.id, { broadcastTo: null, channels: [] });
    expect(await (await broadcast()).json())
      .to.have.property("detail")
      .that.includes('grant "broadcast"');
  });

  it("obeys an edit from the next one on, both ways", async () => {
    const [ann, stranger] = [await connect(page.secret), await connect(other.secret)];
    await say(ann, 1);
    expect((await server.patchKey(page.id, { broadcastTo: "everyone" })).body["settings"]).to.include({
      broadcastTo: "everyone",
    });
    await say(ann, 2);
    const narrowed = await server.patchKey(page.id, { broadcastTo: "key" });
    expect(narrowed.body["settings"]).to.not.have.property("broadcastTo");
    await say(ann, 3);
    expect(await heard(stranger)).to.deep.equal([2]);
    expect(await heard(ann)).to.deep.equal([1, 2, 3]);
  });

  it("keeps its place among what is published to channels", async () => {
    const [ann, ben] = [await connect(page.secret), await connect(page.secret)];
    await ben.request("join", { channel: "room" });
    const order: unknown[] = [];
    for (const name of ["news", "said"]) {
      ben.socket.on(name, ({ message }: { message: unknown }) => order.push(message));
    }
    for (let n = 0; n < 100; n += 1) {
      const channel = n % 3 === 0 ? {} : { channel: "room" };
      ann.socket.emit("message", { eventName: n % 3 === 0 ? "news" : "said", message: n, ...channel });
    }
    await ann.settle();
    await ben.settle();
    expect(order).to.deep.equal(Array.from({ length: 100 }, (_, n) => n));
  });

  it("of a key whose rules granted it before there was a setting reaches everyone, as it did", async () => {
    const granted = await server.createKey({ allowRealtime: true, channels: [BROADCAST_RULE] });
    const exported = (await server.admin("/keys/export", { method: "POST" })).body["keys"];
    const record: unknown = Array.isArray(exported)
      ? exported.find((one: unknown) => Reflect.get(Object(one), "id") === granted.id)
      : undefined;
    const [ann, stranger] = [await connect(granted.secret), await connect(other.secret)];
    // Made today it is held to its own key, and says so to older servers by its schema.
    expect(record).to.include({ schema: 2 });
    await say(ann, 1);
    const body = { keys: [{ ...Object(record), schema: 1 }], onExisting: "replace" };
    expect((await server.admin("/keys/import", { method: "POST", body })).status).to.equal(200);
    await say(ann, 2);
    expect(await heard(stranger)).to.deep.equal([2]);
    const shown = (await server.admin(`/keys/${granted.id}`)).body;
    expect(shown["settings"]).to.include({ broadcastTo: "everyone" });
    // An edit of something else leaves it so.
    await server.patchKey(granted.id, { name: "renamed" });
    await say(ann, 3);
    expect(await heard(stranger)).to.deep.equal([2, 3]);
  });

  it("is explained with whom it reaches, and a preview warns of narrowing it", async () => {
    const loud = await server.createKey({ allowRealtime: true, broadcastTo: "everyone" });
    const explain = async (keyId: string): Promise<string> =>
      JSON.stringify(
        await server.admin("/explain", { method: "POST", body: { keyId, request: { action: "broadcast" } } }),
      );
    expect(await explain(loud.id)).to.include("it reaches everyone connected");
    expect(await explain(page.id)).to.include("it reaches the connections of this key");
    const preview = async (id: string, body: object): Promise<unknown> =>
      (
        await server.admin(`/keys/${id}/preview`, {
          method: "POST",
          body,
          headers: { "content-type": "application/merge-patch+json" },
        })
      ).body["warnings"];
    expect(await preview(loud.id, { broadcastTo: null }))
      .to.have.nested.property("[0].pointer")
      .that.equals("/broadcastTo");
    expect(await preview(loud.id, { name: "renamed" })).to.deep.equal([]);
    expect(await preview(page.id, { broadcastTo: "everyone" })).to.deep.equal([]);
  });
});
