import { expect } from "chai";
import { type CreatedKey, startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const MEMBER = ["join", "publish", "presence"];
const READER = [...MEMBER, "history"];
const NOWHERE = [{ pattern: "elsewhere", actions: ["join"] }];

for (const transport of ["websocket", "polling"] as const) {
  describe(`a right that was withdrawn for a while, over ${transport}`, () => {
    let server: TestServer;
    let sender: SocketClient;
    let key: CreatedKey;
    let epoch: unknown;
    const clients: SocketClient[] = [];

    before(async () => {
      server = await startServer();
    });
    beforeEach(async () => {
      sender = (await connect((await server.createKey({ allowRealtime: true })).secret)).client;
      key = await server.createKey({ allowRealtime: true, channels: [{ pattern: "**", actions: MEMBER }] });
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.close();
    });
    after(() => server.close());

    const connect = async (apiKey: string, resume?: unknown) => {
      const client = new SocketClient(server.url, { apiKey, resume }, { transports: [transport] });
      clients.push(client);
      const ready = await client.next("connection:ready");
      return { client, resume: ready["resume"] };
    };
    const say = async (channel: string, from: number, to: number): Promise<void> => {
      for (let message = from; message <= to; message += 1)
        ({ epoch } = await sender.request("message", { channel, eventName: "n", message }));
    };
    const grant = (actions: readonly string[]) =>
      server.patchKey(key.id, { channels: [{ pattern: "**", actions }] });
    /** A client that heard ten messages and lost its right; ten more were sent, and it has its right again. */
    const returned = async (channel: string, actions: readonly string[]) => {
      const { client, resume } = await connect(key.secret);
      await client.request("join", { channel });
      await say(channel, 1, 10);
      for (let offset = 1; offset <= 10; offset += 1) expect(await client.next("n")).to.include({ offset });
      await server.patchKey(key.id, { channels: NOWHERE });
      await client.next("channel:closed");
      await say(channel, 11, 20);
      await grant(actions);
      return { client, resume };
    };
    const expectGap = async (client: SocketClient, channel: string, upTo: number): Promise<void> => {
      const ack = await client.request("join", { channel, since: { epoch, offset: 10 } });
      expect(ack).to.include({ ok: true, offset: upTo, recovered: false });
      expect(await client.next("channel:gap")).to.include({ channel, after: 10, before: 21 });
    };

    for (const [title, actions] of [
      ["without the history right", MEMBER],
      ["with it", READER],
    ] as const) {
      it(`leaves its gap also to a client that joins and leaves in between, ${title}`, async () => {
        const { client } = await returned(title, actions);
        expect(await client.request("join", { channel: title })).to.include({ ok: true, offset: 20 });
        expect(await client.request("leave", { channel: title })).to.include({ ok: true });
        await expectGap(client, title, 20);
        expect(client.pending("n")).to.deep.equal([]);
      });
    }

    it("leaves its gap, and no more, after several leaves and on another connection", async () => {
      const channel = "often";
      const { client, resume } = await returned(channel, READER);
      for (let i = 0; i < 3; i += 1) {
        await client.request("join", { channel });
        await client.request("leave", { channel });
      }
      await say(channel, 21, 22);
      client.close();
      const back = await connect(key.secret, resume);
      await expectGap(back.client, channel, 22);
      for (const offset of [21, 22]) expect(await back.client.next("n")).to.include({ offset });
      expect(back.client.pending("n")).to.deep.equal([]);
    });

    it("leaves its gap to a client that takes its join back while that is under way", async () => {
      const channel = "hasty";
      const { client } = await returned(channel, READER);
      const joined = client.request("join", { channel });
      const left = client.request("leave", { channel });
      await Promise.all([joined, left]);
      await expectGap(client, channel, 20);
      expect(client.pending("n")).to.deep.equal([]);
    });

    it("leaves its gap to a client that had left before it was withdrawn", async () => {
      const channel = "left";
      const { client } = await connect(key.secret);
      await client.request("join", { channel });
      await say(channel, 1, 10);
      for (let i = 0; i < 10; i += 1) await client.next("n");
      await client.request("leave", { channel });
      await server.patchKey(key.id, { channels: NOWHERE });
      await say(channel, 11, 20);
      await grant(READER);
      await expectGap(client, channel, 20);
      expect(client.pending("n")).to.deep.equal([]);
    });
  });
}
