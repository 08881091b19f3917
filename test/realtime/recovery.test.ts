import { expect } from "chai";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

for (const transport of ["websocket", "polling"] as const) {
  describe(`recovery over ${transport}`, () => {
    let server: TestServer;
    let secret: string;
    let plain: { id: string; secret: string };
    let sender: SocketClient;
    const clients: SocketClient[] = [];

    before(async () => {
      server = await startServer();
      secret = (await server.createKey({ allowRealtime: true })).secret;
    });
    beforeEach(async () => {
      plain = await server.createKey({
        allowRealtime: true,
        channels: [{ pattern: "**", actions: ["join", "publish", "presence"] }],
      });
      sender = (await connect(secret)).client;
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.close();
    });
    after(() => server.close());

    const connect = async (apiKey: string, resume?: unknown) => {
      const client = new SocketClient(server.url, { apiKey, resume }, { transports: [transport] });
      clients.push(client);
      const ready = await client.next("connection:ready");
      return { client, resume: ready["resume"], clientId: ready["clientId"] };
    };
    const say = (channel: string, message: number) =>
      sender.request("message", { channel, eventName: "n", message });
    const positionOf = ({ epoch, offset }: Record<string, unknown>) => ({ epoch, offset });

    it("replays exactly what was missed, in order, before the acknowledgement", async () => {
      const first = await connect(plain.secret);
      const joined = await first.client.request("join", { channel: "room" });
      await say("room", 0);
      const heard = await first.client.next("n");
      first.client.close();
      for (let i = 1; i <= 20; i += 1) await say("room", i);
      const second = await connect(plain.secret, first.resume);
      expect(second.clientId).to.equal(first.clientId);
      const order: string[] = [];
      second.client.socket.onAny((event: string) => order.push(event));
      const ack = await second.client.request("join", { channel: "room", since: positionOf(heard) });
      expect(ack).to.include({ ok: true, recovered: true, epoch: joined["epoch"], offset: 21 });
      for (let i = 1; i <= 20; i += 1) {
        expect(await second.client.next("n")).to.include({ message: i, offset: i + 1 });
      }
      expect(order.filter((event) => event === "n").length).to.equal(20);
      await say("room", 21);
      expect(await second.client.next("n")).to.include({ message: 21, offset: 22 });
    });

    it("does not replay to a stranger without the history right, and says so", async () => {
      const { offset, epoch } = await say("mine", 1);
      await say("mine", 2);
      const stranger = await connect(plain.secret);
      const ack = await stranger.client.request("join", { channel: "mine", since: { epoch, offset } });
      expect(ack).to.include({ recovered: false, offset: 2 });
      expect(await stranger.client.next("channel:gap")).to.include({
        channel: "mine",
        reason: "not_a_member",
        after: 1,
        before: 3,
      });
      expect(stranger.client.pending("n")).to.deep.equal([]);
      const reader = await connect(secret);
      const full = await reader.client.request("join", { channel: "mine", since: { epoch, offset: 0 } });
      expect(full).to.include({ recovered: true });
      expect(reader.client.pending("n").length).to.equal(2);
    });

    it("knows a client by its token alone, under its own key", async () => {
      const one = await connect(plain.secret);
      await one.client.request("join", { channel: "room" });
      const other = await connect(secret, one.resume);
      expect(other.clientId).to.not.equal(one.clientId);
      expect((await connect(plain.secret, one.clientId)).clientId).to.not.equal(one.clientId);
    });

    it("gives a new token with each connection, and knows the one before until the new one was presented", async () => {
      const first = await connect(plain.secret);
      const second = await connect(plain.secret, first.resume);
      expect(second.resume).to.be.a("string").and.not.equal(first.resume);
      // As one that never received the second: as often as it takes.
      const third = await connect(plain.secret, first.resume);
      expect(await second.client.next("connection:closing")).to.include({ code: "taken_over" });
      const fourth = await connect(plain.secret, third.resume);
      for (const { clientId } of [second, third, fourth]) expect(clientId).to.equal(first.clientId);
      // The new one was presented: whoever has the old one is somebody else, and takes nothing over.
      const late = await connect(plain.secret, first.resume);
      expect(late.clientId).to.not.equal(first.clientId);
      expect(await fourth.client.request("join", { channel: "still here" })).to.include({ ok: true });
      expect(fourth.client.pending("connection:closing")).to.deep.equal([]);
      fourth.client.close();
      expect((await connect(plain.secret, first.resume)).clientId).to.not.equal(first.clientId);
      expect((await connect(plain.secret, fourth.resume)).clientId).to.equal(first.clientId);
    });

    it("believes no token that it did not give, whatever part of it is right", async () => {
      const { client, clientId, resume } = await connect(plain.secret);
      const [id = "", generation = "", mac = ""] = String(resume).split(".");
      expect(id).to.equal(clientId);
      const other = String((await connect(plain.secret)).resume).split(".")[2] ?? "";
      for (const forged of [
        `${id}.${Number(generation) + 1}.${mac}`,
        `${id}.0${generation}.${mac}`,
        `${id}.${generation}.${other}`,
        `${id}.${generation}.${mac.slice(0, -1)}`,
        `${id}.${generation}.${mac}=`,
        `${id}.${generation}.`,
        `${id}.${generation}`,
        `${"é".repeat(22)}.${generation}.${mac}`,
        "...",
      ]) {
        expect((await connect(plain.secret, forged)).clientId, forged).to.not.equal(clientId);
      }
      await client.settle();
      expect(client.pending("connection:closing")).to.deep.equal([]);
    });

    it("lets a client that comes back take over its old connection, which leaves first", async () => {
      const watcher = await connect(secret);
      await watcher.client.request("join", { channel: "seen" });
      const old = await connect(plain.secret);
      await old.client.request("join", { channel: "seen" });
      const back = await connect(plain.secret, old.resume);
      await back.client.request("join", { channel: "seen" });
      expect(await old.client.next("connection:closing")).to.include({ code: "taken_over", retry: false });
      const ofClient = (payload: unknown): boolean => JSON.stringify(payload).includes(String(old.clientId));
      await watcher.client.next("channel:join", ofClient);
      await watcher.client.next("channel:leave", ofClient);
      await watcher.client.next("channel:join", ofClient);
      await old.client.next("disconnect");
      await watcher.client.settle();
      expect(watcher.client.pending("channel:leave").filter(ofClient)).to.deep.equal([]);
    });

    it("does not replay what was sent while the right was withdrawn", async () => {
      const member = await connect(plain.secret);
      await member.client.request("join", { channel: "closed" });
      await say("closed", 1);
      const heard = await member.client.next("n");
      const all = [{ pattern: "**", actions: ["join", "publish", "presence", "history"] }];
      await server.patchKey(plain.id, { channels: [{ pattern: "other", actions: ["join"] }] });
      await member.client.next("channel:closed");
      await say("closed", 2);
      await server.patchKey(plain.id, { channels: all });
      const ack = await member.client.request("join", { channel: "closed", since: positionOf(heard) });
      expect(ack).to.include({ recovered: false });
      expect(await member.client.next("channel:gap")).to.include({ after: 1, before: 3 });
      expect(member.client.pending("n")).to.deep.equal([]);
      // The same across a connection that was closed because the key was disabled.
      await server.patchKey(plain.id, { enabled: false });
      await member.client.next("connection:closing");
      await say("closed", 3);
      await server.patchKey(plain.id, { enabled: true });
      const back = await connect(plain.secret, member.resume);
      await back.client.request("join", { channel: "closed", since: { epoch: ack["epoch"], offset: 2 } });
      expect(await back.client.next("channel:gap")).to.include({ after: 2, before: 4 });
      expect(back.client.pending("n")).to.deep.equal([]);
    });

    for (const [title, isBack] of [
      ["is away", false],
      ["has come back and not joined again", true],
    ] as const) {
      it(`does not replay what was sent while the right was withdrawn from a client that ${title}`, async () => {
        const actions = ["join", "publish", "presence"];
        const [first, second] = [`${title} 1`, `${title} 2`];
        const away = await connect(plain.secret);
        for (const channel of [first, second]) await away.client.request("join", { channel });
        const since = { epoch: (await say(first, 1))["epoch"], offset: 1 };
        await away.client.next("n");
        away.client.close();
        const early = isBack ? await connect(plain.secret, away.resume) : undefined;
        await server.patchKey(plain.id, { channels: [{ pattern: second, actions }] });
        await say(first, 2);
        await say(second, 1);
        await server.patchKey(plain.id, { channels: [{ pattern: "**", actions: [...actions, "history"] }] });
        const back = early ?? (await connect(plain.secret, away.resume));
        expect(await back.client.request("join", { channel: first, since })).to.include({ recovered: false });
        expect(await back.client.next("channel:gap")).to.include({ after: 1, before: 3 });
        expect(back.client.pending("n")).to.deep.equal([]);
        const { epoch } = await say(second, 2);
        const kept = { channel: second, since: { epoch, offset: 0 } };
        expect(await back.client.request("join", kept)).to.include({ recovered: true });
        expect(back.client.pending("n").length).to.equal(2);
      });
    }

    it("does not replay what the client left behind of its own will, nor its own messages unechoed", async () => {
      const member = await connect(plain.secret);
      const joined = await member.client.request("join", { channel: "own" });
      await member.client.request("message", { channel: "own", eventName: "n", message: 1, echo: false });
      await say("own", 2);
      await member.client.next("n");
      member.client.close();
      const back = await connect(plain.secret, member.resume);
      const ack = await back.client.request("join", { channel: "own", since: positionOf(joined) });
      expect(ack).to.include({ recovered: true, offset: 2 });
      expect(await back.client.next("n")).to.include({ message: 2 });
      expect(back.client.pending("n")).to.deep.equal([]);
      await back.client.request("leave", { channel: "own" });
      await say("own", 3);
      const again = await back.client.request("join", {
        channel: "own",
        since: { epoch: ack["epoch"], offset: 2 },
      });
      expect(again).to.include({ recovered: false });
      expect(back.client.pending("n")).to.deep.equal([]);
    });

    it("replays each message at most once per connection", async () => {
      const reader = await connect(secret);
      const joined = await reader.client.request("join", { channel: "twice" });
      await say("twice", 1);
      await reader.client.next("n");
      await reader.client.request("leave", { channel: "twice" });
      await say("twice", 2);
      const ack = await reader.client.request("join", { channel: "twice", since: positionOf(joined) });
      expect(ack).to.include({ recovered: true });
      expect(await reader.client.next("n")).to.include({ message: 2 });
      expect(reader.client.pending("n")).to.deep.equal([]);
    });

    it("replays what a connection has not heard, however it joined and left in between", async () => {
      for (let i = 1; i <= 4; i += 1) await say("pieces", i);
      const reader = await connect(secret);
      const { epoch } = await reader.client.request("join", { channel: "pieces" });
      await say("pieces", 5);
      await reader.client.request("leave", { channel: "pieces" });
      await say("pieces", 6);
      await say("pieces", 7);
      await reader.client.request("join", { channel: "pieces" });
      await say("pieces", 8);
      await reader.client.request("leave", { channel: "pieces" });
      const back = { channel: "pieces", since: { epoch, offset: 2 } };
      expect(await reader.client.request("join", back)).to.include({ recovered: true, offset: 8 });
      const heard: unknown[] = [];
      for (let i = 0; i < 6; i += 1) heard.push((await reader.client.next("n"))["message"]);
      expect(heard).to.deep.equal([5, 8, 3, 4, 6, 7]);
      await say("pieces", 9);
      expect(await reader.client.next("n")).to.include({ message: 9 });
      expect(reader.client.pending("n")).to.deep.equal([]);
    });

    it("has no gap and no duplicate at the seam while others publish", async () => {
      const member = await connect(plain.secret);
      const joined = await member.client.request("join", { channel: "busy" });
      member.client.close();
      // Fewer than the window holds, in bursts, for as long as clients come and go.
      const state = { sent: 0, stopped: false };
      const publishing = (async () => {
        while (!state.stopped && state.sent < 900) {
          await Promise.all(Array.from({ length: 9 }, () => say("busy", state.sent++)));
        }
      })();
      try {
        for (let round = 0; round < 5; round += 1) {
          const back = await connect(plain.secret, member.resume);
          const ack = await back.client.request("join", { channel: "busy", since: positionOf(joined) });
          expect(ack).to.include({ recovered: true });
          const last = Number(ack["offset"]) + (state.sent < 800 ? 20 : 0);
          for (let expected = Number(joined["offset"]) + 1; expected <= last; expected += 1) {
            expect((await back.client.next("n"))["offset"]).to.equal(expected);
          }
          back.client.close();
        }
      } finally {
        state.stopped = true;
        await publishing;
      }
    });

    it("replays more than a client may leave unread, at the speed at which it reads", async () => {
      const member = await connect(plain.secret);
      const joined = await member.client.request("join", { channel: "much" });
      member.client.close();
      const filler = "x".repeat(20_000);
      for (let i = 1; i <= 200; i += 1) {
        await sender.request("message", { channel: "much", eventName: "n", message: { i, filler } });
      }
      const back = await connect(plain.secret, member.resume);
      const join = back.client.request("join", { channel: "much", since: positionOf(joined) });
      for (let i = 1; i <= 20; i += 1) await say("much", i);
      const ack = await join;
      expect(ack).to.include({ recovered: true });
      for (let offset = 1; offset <= 220; offset += 1) {
        expect(await back.client.next("n")).to.include({ offset });
      }
    });

    it("pages through history with the right, and not without", async () => {
      for (let i = 1; i <= 5; i += 1) await say("paged", i);
      const reader = await connect(secret);
      const first = await reader.client.request("history", { channel: "paged", limit: 3 });
      expect(first).to.include({ ok: true, offset: 5, complete: false });
      const { messages, epoch } = first;
      expect(Array.isArray(messages) ? messages.map(({ message }) => message) : []).to.deep.equal([1, 2, 3]);
      const rest = await reader.client.request("history", { channel: "paged", after: { epoch, offset: 3 } });
      expect(rest).to.include({ complete: true });
      expect(rest["messages"]).to.be.an("array").with.length(2);
      expect(rest["messages"]).to.have.nested.property("[0].eventName", "n");
      const filler = "x".repeat(400_000);
      for (let i = 0; i < 4; i += 1)
        await sender.request("message", { channel: "paged", eventName: "n", message: filler });
      const large = await reader.client.request("history", { channel: "paged", after: { epoch, offset: 5 } });
      expect(large).to.include({ complete: false, offset: 9 });
      expect(large["messages"]).to.be.an("array").with.length(1);
      const denied = await connect(plain.secret);
      const answer = await denied.client.request("history", { channel: "paged" });
      expect(answer).to.have.nested.property("error.code", "channel_not_allowed");
    });
  });
}
