import { expect } from "chai";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

type Message = { readonly offset: unknown; readonly message: unknown };

const MARK = { _placeholder: true, num: 0 };
const FAR_MARK = { _placeholder: true, num: 99 };

for (const transport of ["websocket", "polling"] as const) {
  describe(`history with binary values, over ${transport}`, () => {
    let server: TestServer;
    let client: SocketClient;
    let secret: string;

    before(async () => {
      server = await startServer();
      ({ secret } = await server.createKey({ allowRealtime: true }));
    });
    after(() => server.close());
    beforeEach(async () => {
      client = await new SocketClient(server.url, { apiKey: secret }, { transports: [transport] }).ready();
    });
    afterEach(() => client.close());

    const publish = async (channel: string, message: unknown): Promise<void> => {
      expect(await client.request("message", { channel, eventName: "say", message })).to.include({
        ok: true,
      });
    };

    /** All pages, one after the other, on the one connection. */
    const readAll = async (channel: string): Promise<{ pages: number; messages: Message[] }> => {
      const messages: Message[] = [];
      let after: unknown;
      for (let pages = 1; ; pages += 1) {
        const page = await client.request("history", { channel, ...(after === undefined ? {} : { after }) });
        expect(page).to.include({ ok: true });
        const list = Array.isArray(page["messages"]) ? page["messages"].map(toRecord) : [];
        for (const { offset, message } of list) messages.push({ offset, message });
        if (page["complete"] === true) return { pages, messages };
        expect(list, "a page that is not the last has messages").to.not.be.empty;
        after = { epoch: page["epoch"], offset: list.at(-1)?.["offset"] };
      }
    };

    const expectAll = async (channel: string, values: readonly unknown[]): Promise<number> => {
      for (const value of values) await publish(channel, value);
      const { pages, messages } = await readAll(channel);
      expect(messages).to.deep.equal(values.map((message, index) => ({ offset: index + 1, message })));
      expect(client.socket.connected).to.equal(true);
      return pages;
    };

    it("comes in pages that a reader can decode", async () => {
      const values = Array.from({ length: 12 }, (_, index) => ({ blob: Buffer.from(`blob ${index}`) }));
      expect(await expectAll(`twelve:${transport}`, values)).to.equal(2);
    });

    it("counts every binary value of a message", async () => {
      const blob = (text: string) => Buffer.from(text);
      const values = Array.from({ length: 4 }, (_, n) => [
        blob(`${n}a`),
        blob(`${n}b`),
        blob(`${n}c`),
        "text",
      ]);
      expect(await expectAll(`many:${transport}`, values)).to.equal(2);
      expect(await expectAll(`full:${transport}`, [values.flat().slice(0, 11), values[0]])).to.equal(2);
    });

    it("keeps what looks like an encoder's mark apart from binary values", async () => {
      const blob = Buffer.from("blob");
      const values = [
        MARK,
        { deep: [FAR_MARK] },
        blob,
        { blob },
        "text",
        [MARK],
        blob,
        { a: { b: FAR_MARK } },
      ];
      await expectAll(`marks:${transport}`, values);
      await expectAll(`ends:${transport}`, [blob, MARK, blob]);
    });

    it("is one page of a hundred where nothing is binary", async () => {
      const values = Array.from({ length: 30 }, (_, index) => ({ ...MARK, index }));
      expect(await expectAll(`text:${transport}`, values)).to.equal(1);
    });

    it("is replayed to who joins later, each message by itself", async () => {
      const channel = `replay:${transport}`;
      const values = [MARK, ...Array.from({ length: 12 }, (_, index) => Buffer.from(`${index}`)), FAR_MARK];
      const position = await client.request("join", { channel });
      await client.request("leave", { channel });
      for (const value of values) await publish(channel, value);
      const since = { epoch: position["epoch"], offset: position["offset"] };
      expect(await client.request("join", { channel, since })).to.include({ ok: true, recovered: true });
      expect(client.pending("say").map((payload) => toRecord(payload)["message"])).to.deep.equal(values);
    });

    it("refuses an object that the sender's own encoder has made a binary value of", async () => {
      const message = { blob: Buffer.from("blob"), note: MARK };
      const answer = await client.request("message", { channel: "a", eventName: "say", message });
      expect(toRecord(answer["error"])).to.include({ code: "invalid_payload" });
    });
  });
}
