import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const HOUR = { name: "hourly", windowSeconds: 3600 };
const say = (message: unknown) => ({ channel: "room", eventName: "say", message });

/** `true`, or the code of the refusal. */
function outcome(ack: Record<string, unknown>): unknown {
  const { ok, error } = ack;
  return ok === true ? true : typeof error === "object" && error !== null && "code" in error && error.code;
}

for (const transport of ["websocket", "polling"]) {
  describe(`a key's limits over ${transport}`, () => {
    let server: TestServer;
    const clients: SocketClient[] = [];
    before(async () => {
      server = await startServer();
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.close();
    });
    after(() => server.close());

    const connect = async (secret: string, auth: object = {}): Promise<SocketClient> => {
      const client = new SocketClient(server.url, { apiKey: secret, ...auth }, { transports: [transport] });
      clients.push(client);
      return client.ready();
    };
    const limited = (limit: object) =>
      server.createKey({ allowRealtime: true, limits: [{ ...HOUR, ...limit }] });
    const publish = async (client: SocketClient, payload: object = say("hi")): Promise<unknown> =>
      outcome(await client.request("message", payload));

    it("count publishes and broadcasts of a connection, and say when to come again", async () => {
      const { secret } = await limited({ limit: 3 });
      const [client, other] = [await connect(secret), await connect(secret)];
      await other.request("join", { channel: "room" });
      expect(await publish(client, say(1))).to.equal(true);
      expect(await publish(client, { eventName: "all", message: 1 })).to.equal(true);
      expect(await publish(client, say(2))).to.equal(true);
      const { ok, error } = await client.request("message", say(3));
      expect(ok).to.equal(false);
      expect(error)
        .to.include({ code: "rate_limit_exceeded" })
        .and.to.have.all.keys("code", "message", "afterMs");
      expect(error).to.have.property("afterMs").that.is.within(3_590_000, 3_600_000);
      expect(await publish(client, { eventName: "all", message: 2 })).to.equal("rate_limit_exceeded");
      expect(await publish(other, say(4))).to.equal(true);
      await other.next("say", (payload) => Reflect.get(Object(payload), "message") === 4);
      expect(other.pending("say")).to.have.length(2);
      expect(other.pending("all")).to.have.length(1);
    });

    it("say it with channel:error where no acknowledgement was asked for", async () => {
      const { secret } = await limited({ limit: 1 });
      const client = await connect(secret);
      client.socket.emit("message", say(1));
      client.socket.emit("message", say(2));
      const error = await client.next("channel:error");
      expect(error).to.include({ event: "message", channel: "room", code: "rate_limit_exceeded" });
      expect(error["afterMs"]).to.be.within(3_590_000, 3_600_000);
    });

    it("of joins count joins, leaves and updates, and nothing else", async () => {
      const { secret } = await limited({ limit: 4, kind: "joins" });
      const client = await connect(secret);
      const ask = async (event: string, payload: object) => outcome(await client.request(event, payload));
      expect(await ask("join", { channel: "room" })).to.equal(true);
      expect(await ask("update", { data: 1 })).to.equal(true);
      // What is refused, or no membership, costs nothing.
      expect(await ask("join", { channel: "a*" })).to.equal("invalid_channel");
      expect(await ask("leave", { channel: "elsewhere" })).to.equal("not_a_member");
      expect(await ask("update", { data: "x".repeat(20_000) })).to.equal("payload_too_large");
      for (let i = 0; i < 6; i += 1) {
        expect(await publish(client)).to.equal(true);
        expect(await ask("members", { channel: "room" })).to.equal(true);
        expect(await ask("history", { channel: "room" })).to.equal(true);
      }
      expect(await ask("leave", { channel: "room" })).to.equal(true);
      expect(await ask("join", { channel: "room" })).to.equal(true);
      const { error } = await client.request("join", { channel: "other" });
      expect(error).to.include({ code: "rate_limit_exceeded" }).and.to.have.property("afterMs");
      expect(await ask("update", { data: 2 })).to.equal("rate_limit_exceeded");
      // Whoever is in may always leave.
      expect(await ask("leave", { channel: "room" })).to.equal(true);
      expect(await ask("join", { channel: "room" })).to.equal("rate_limit_exceeded");
      expect(await publish(client)).to.equal(true);
    });

    it("of reads count members and history, and nothing else", async () => {
      const { secret } = await limited({ limit: 2, kind: "reads" });
      const client = await connect(secret);
      const ask = async (event: string, payload: object) => outcome(await client.request(event, payload));
      for (let i = 0; i < 4; i += 1) {
        expect(await ask("join", { channel: "room" })).to.equal(true);
        expect(await ask("update", { data: i })).to.equal(true);
        expect(await publish(client)).to.equal(true);
        expect(await ask("members", { channel: "room", limit: 0 })).to.equal("invalid_payload");
      }
      expect(await ask("members", { channel: "room" })).to.equal(true);
      expect(await ask("history", { channel: "room" })).to.equal(true);
      expect(await ask("members", { channel: "room" })).to.equal("rate_limit_exceeded");
      expect(await ask("history", { channel: "room" })).to.equal("rate_limit_exceeded");
      expect(await publish(client)).to.equal(true);
    });

    it("keep the order of what is sent, whichever kind counts", async () => {
      const limits = ["calls", "joins", "reads"].map((kind) => ({ ...HOUR, name: kind, limit: 1_000, kind }));
      const { secret } = await server.createKey({ allowRealtime: true, limits });
      const client = await connect(secret);
      const channel = `in order over ${transport}`;
      const answers: Promise<Record<string, unknown>>[] = [];
      for (let n = 0; n < 20; n += 1) {
        answers.push(client.request("join", { channel }));
        answers.push(client.request("message", { ...say(n), channel }));
        answers.push(client.request("history", { channel }));
        answers.push(client.request("leave", { channel }));
      }
      const all = await Promise.all(answers);
      expect(all.every(({ ok }) => ok === true)).to.equal(true);
      const offsets = all.filter((_, at) => at % 4 === 2).map(({ offset }) => offset);
      expect(offsets).to.deep.equal(Array.from({ length: 20 }, (_, n) => n + 1));
      expect(client.pending("say")).to.have.length(20);
    });

    it("of calls count nothing else", async () => {
      const { secret } = await limited({ limit: 1 });
      const client = await connect(secret);
      for (let i = 0; i < 3; i += 1) {
        expect(await client.request("join", { channel: "room" })).to.include({ ok: true });
        expect(await client.request("members", { channel: "room" })).to.include({ ok: true });
        expect(await client.request("history", { channel: "room" })).to.include({ ok: true });
        expect(await client.request("update", { data: i })).to.include({ ok: true });
        expect(await client.request("leave", { channel: "room" })).to.include({ ok: true });
      }
      expect(await publish(client)).to.equal(true);
      expect(await publish(client)).to.equal("rate_limit_exceeded");
    });

    it("are not spent by what is denied for another reason", async () => {
      const { secret } = await server.createKey({
        allowRealtime: true,
        channels: [{ pattern: "room", actions: ["publish"] }],
        limits: [
          { ...HOUR, limit: 3, per: "key" },
          { ...HOUR, name: "own", limit: 1 },
        ],
      });
      const [first, second, third] = [await connect(secret), await connect(secret), await connect(secret)];
      expect(await publish(first, { ...say(1), id: "one" })).to.equal(true);
      for (let i = 0; i < 5; i += 1) {
        expect(await publish(second, { ...say(1), channel: "elsewhere" })).to.equal("channel_not_allowed");
        expect(await publish(second, { ...say(1), eventName: "connect" })).to.equal("reserved_event");
        expect(await publish(second, { ...say(1), channel: "a*" })).to.equal("invalid_channel");
        expect(await publish(second, { ...say(1), echo: 1 })).to.equal("invalid_payload");
        expect(await publish(second, { eventName: "all" })).to.equal("channel_not_allowed");
        // Its own limit is used up, so the one that all share is not touched.
        expect(await publish(first)).to.equal("rate_limit_exceeded");
      }
      expect(await publish(second)).to.equal(true);
      expect(await publish(third)).to.equal(true);
      expect(await publish(await connect(secret))).to.equal("rate_limit_exceeded");
    });

    it("give back what an id conflict took, and count a repeat of an id", async () => {
      const { secret } = await limited({ limit: 3 });
      const client = await connect(secret);
      expect(await publish(client, { ...say(1), id: "x" })).to.equal(true);
      expect(await publish(client, { ...say(2), id: "x" })).to.equal("id_conflict");
      expect(await publish(client, { ...say(1), id: "x" })).to.equal(true);
      expect(await publish(client, { ...say(2), id: "x" })).to.equal("id_conflict");
      expect(await publish(client, { ...say(3), id: "y" })).to.equal(true);
      expect(await publish(client, { ...say(4), id: "z" })).to.equal("rate_limit_exceeded");
    });

    it("count together by key, by address, and by client across its connections", async () => {
      for (const per of ["key", "address"]) {
        const { secret } = await limited({ limit: 2, per });
        const [first, second] = [await connect(secret), await connect(secret)];
        expect(await publish(first)).to.equal(true);
        expect(await publish(second)).to.equal(true);
        expect(await publish(first)).to.equal("rate_limit_exceeded");
        expect(await publish(second)).to.equal("rate_limit_exceeded");
      }
      const { secret } = await limited({ limit: 1, per: "client" });
      const client = new SocketClient(server.url, { apiKey: secret }, { transports: [transport] });
      const { resume } = await client.next("connection:ready");
      expect(await publish(client)).to.equal(true);
      client.close();
      expect(await publish(await connect(secret, { resume }))).to.equal("rate_limit_exceeded");
      expect(await publish(await connect(secret))).to.equal(true);
    });

    it("follow an edit of the key at once", async () => {
      const { id, secret } = await limited({ limit: 1 });
      const client = await connect(secret);
      expect(await publish(client)).to.equal(true);
      expect(await publish(client)).to.equal("rate_limit_exceeded");
      await server.patchKey(id, { limits: [{ ...HOUR, limit: 2 }] });
      expect(await publish(client)).to.equal(true);
      expect(await publish(client)).to.equal("rate_limit_exceeded");
      await server.patchKey(id, { limits: null });
      for (let i = 0; i < 5; i += 1) expect(await publish(client)).to.equal(true);
      await server.patchKey(id, { limits: [{ ...HOUR, limit: 2 }] });
      expect(await publish(client)).to.equal("rate_limit_exceeded");
    });

    it("keep the order of a connection's requests, and let through as many as they say", async () => {
      const { secret } = await limited({ limit: 50 });
      const [client, listener] = [await connect(secret), await connect(secret)];
      await listener.request("join", { channel: "room" });
      await client.request("join", { channel: "room" });
      const acks = Promise.all([
        ...Array.from({ length: 50 }, (_, i) => client.request("message", { ...say(i), echo: true })),
        client.request("leave", { channel: "room" }),
        ...Array.from({ length: 20 }, () => client.request("message", say("late"))),
      ]);
      const outcomes = (await acks).map(outcome);
      expect(outcomes).to.deep.equal([
        ...Array.from({ length: 51 }, () => true),
        ...Array.from({ length: 20 }, () => "rate_limit_exceeded"),
      ]);
      await listener.settle();
      const heard = (one: SocketClient) =>
        one.pending("say").map((payload) => Reflect.get(Object(payload), "message"));
      const numbers = Array.from({ length: 50 }, (_, i) => i);
      expect(heard(listener)).to.deep.equal(numbers);
      // It left behind its last message: it has heard all of its own.
      expect(heard(client)).to.deep.equal(numbers);
    });
  });
}
