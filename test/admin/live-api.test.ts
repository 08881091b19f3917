import { expect } from "chai";
import { EventStreamClient } from "../helpers/event-stream.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("live events of the admin API", () => {
  let server: TestServer;
  let key: { id: string; secret: string };
  const clients: { close(): void }[] = [];

  beforeEach(async () => {
    server = await startServer();
    key = await server.createKey({ name: "live key", allowRealtime: true });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await server.close();
  });

  const authorization = () => ({ authorization: `Bearer ${server.adminToken}` });
  const watch = async (query = "", headers: Record<string, string> = authorization()) => {
    const stream = await EventStreamClient.open(`${server.adminUrl}/admin/v1/live${query}`, headers);
    clients.push(stream);
    return stream;
  };
  const connect = async (): Promise<SocketClient> => {
    const client = await new SocketClient(server.url, { apiKey: key.secret }).ready();
    clients.push(client);
    return client;
  };
  const publish = (channel: string, eventName: string, message: unknown) =>
    server.admin("/channels/publish", { method: "POST", body: { channel, eventName, message } });
  const numberOf = (record: Record<string, unknown>, name: string): number => Number(record[name]);

  it("begin with a snapshot, then show each second what is there and what went on", async () => {
    const member = await connect();
    await member.request("join", { channel: "room" });
    const stream = await watch();
    expect(stream.status).to.equal(200);
    expect(stream.headers.get("content-type")).to.equal("text/event-stream; charset=utf-8");
    expect(stream.headers.get("cache-control")).to.equal("no-store, no-transform");
    expect(stream.headers.get("x-content-type-options")).to.equal("nosniff");
    const snapshot = await stream.next("snapshot");
    expect(snapshot).to.have.all.keys("at", "version", "startedAt", "now", "samples");
    expect(toRecord(snapshot["now"])).to.deep.include({ connections: 1, channels: 1, memberships: 1 });
    expect(stream.text).to.match(/^retry: \d+\n\n/);
    const second = await connect();
    await second.request("join", { channel: "room" });
    for (let i = 0; i < 10; i += 1) await publish("room", "say", i);
    let sums = { connects: 0, published: 0, delivered: 0 };
    while (sums.published < 10) {
      const sample = await stream.next("sample");
      sums = {
        connects: sums.connects + numberOf(sample, "connectsPerSecond"),
        published: sums.published + numberOf(sample, "publishedPerSecond"),
        delivered: sums.delivered + numberOf(sample, "deliveredPerSecond"),
      };
      if (sums.published >= 10) expect(sample).to.include({ connections: 2, channels: 1, memberships: 2 });
    }
    // Rates are rounded, and the second may have been a little longer.
    expect(sums.published).to.be.within(9, 12);
    expect(sums.delivered).to.be.within(18, 23);
    expect(sums.connects).to.be.within(0, 3);
  });

  it("tell which keys change, and of many that many did", async () => {
    const stream = await watch();
    await stream.next("snapshot");
    const made = await server.createKey();
    expect(await stream.next("key")).to.deep.equal({ id: made.id, version: 1, deleted: false });
    await server.patchKey(made.id, { enabled: false });
    expect(await stream.next("key")).to.deep.equal({ id: made.id, version: 2, deleted: false });
    await server.deleteKey(made.id);
    expect(await stream.next("key")).to.deep.equal({ id: made.id, version: null, deleted: true });

    await stream.next("sample");
    await Promise.all(Array.from({ length: 200 }, () => server.createKey()));
    await stream.next("keys");
    expect(stream.pending("key").length).to.be.at.most(199);
  });

  it("show refusals as they come, alike ones counted, and never a secret", async () => {
    const stream = await watch();
    await server.patchKey(key.id, { domains: { mode: "specified", list: ["https://app.example.com"] } });
    const origin = 'https://evil.example"><script>';
    for (let i = 0; i < 3; i += 1) {
      const refused = new SocketClient(server.url, { apiKey: key.secret }, { extraHeaders: { origin } });
      clients.push(refused);
      expect(await refused.refusal()).to.include({ code: "domain_not_authorized" });
    }
    const unknown = new SocketClient(server.url, { apiKey: "not-a-key-of-this-server-0123456789" });
    clients.push(unknown);
    await unknown.refusal();
    const denial = await stream.next(
      "denial",
      ({ code, count }) => code === "domain_not_authorized" && count === 3,
    );
    expect(denial).to.deep.include({
      keyId: key.id,
      keyName: "live key",
      action: "connect",
      origin,
      address: "127.0.0.1",
      endpoint: null,
      channel: null,
    });
    expect(denial["message"]).to.include("https://evil.example");
    expect(await stream.next("denial", ({ code }) => code === "invalid_api_key")).to.include({ keyId: null });
    expect(stream.text).to.not.include("not-a-key-of-this-server");
    expect(stream.text).to.not.include(key.secret);

    const list = async (query: string) => {
      const { body } = await server.admin(`/denials${query}`);
      return Array.isArray(body["items"]) ? body["items"].map(toRecord) : [];
    };
    expect((await list("")).map(({ code }) => code)).to.deep.equal([
      "invalid_api_key",
      "domain_not_authorized",
    ]);
    expect(await list(`?key=${key.id}`)).to.deep.equal([denial]);
    expect(await list("?limit=1")).to.have.length(1);
    expect((await server.admin("/denials?limit=0")).status).to.equal(400);
  });

  it("tail a channel from its last messages on, without being a member", async () => {
    const member = await connect();
    await member.request("join", { channel: "room" });
    for (let i = 0; i < 30; i += 1) await publish("room", "say", { before: i });
    const stream = await watch("?channel=room");
    await stream.next("snapshot");
    const long = { text: `<b>${"x".repeat(10_000)}` };
    await member.request("message", { channel: "room", eventName: "long", message: long });
    await publish("other", "say", "elsewhere");
    const first = await stream.next("message");
    expect(first).to.deep.include({ channel: "room", eventName: "say", offset: 11, from: null });
    expect(first).to.deep.include({ text: '{"before":10}', truncated: false });
    const cut = await stream.next("message", ({ eventName }) => eventName === "long");
    expect(cut).to.deep.include({ offset: 31, truncated: true });
    expect(toRecord(cut["from"])).to.include({ id: member.socket.id });
    expect(cut["text"]).to.equal(JSON.stringify(long).slice(0, 4_000));
    expect(stream.pending("message").map(({ offset }) => offset)).to.deep.equal(
      Array.from({ length: 19 }, (_, i) => 12 + i),
    );
    const { body } = await server.admin("/channels/members?channel=room");
    expect(body["total"]).to.equal(1);
    expect(stream.text).to.not.include("elsewhere");
  });

  it("hear a channel that nobody is in, and leave nothing of it behind", async () => {
    const stream = await watch("?channel=empty");
    await stream.next("snapshot");
    await publish("empty", "say", "hello");
    expect(await stream.next("message")).to.include({ text: '"hello"' });
    expect((await server.admin("/channels")).body).to.deep.equal({ items: [], next: null, total: 0 });
    stream.close();
    const again = await watch("?channel=empty");
    expect(await again.next("message")).to.include({ text: '"hello"', offset: 1 });
  });

  it("bound what a busy channel shows, and say how much was left out", async () => {
    const stream = await watch("?channel=busy");
    await stream.next("snapshot");
    const member = await connect();
    const sent = Array.from({ length: 500 }, (_, i) =>
      member.request("message", { channel: "busy", eventName: "say", message: i }),
    );
    await Promise.all(sent);
    let dropped = 0;
    const shown = () => stream.pending("message").length;
    while (dropped + shown() < 500) dropped += numberOf(await stream.next("dropped"), "count");
    expect(dropped + shown()).to.equal(500);
    expect(shown()).to.be.at.least(50);
    expect(dropped).to.be.at.least(100);
  });

  it("refuse a channel that has no name, and whoever is not signed in", async () => {
    for (const query of [
      "?channel=%00",
      "?channel=$a",
      "?channel=a&channel=b",
      `?channel=${"x".repeat(300)}`,
    ]) {
      const stream = await watch(query);
      expect(stream.status, query).to.equal(400);
    }
    expect((await watch("", {})).status).to.equal(401);
    expect((await watch("", { authorization: "Bearer wrong" })).status).to.equal(401);
    const head = await fetch(`${server.adminUrl}/admin/v1/live`, {
      method: "HEAD",
      headers: authorization(),
    });
    expect(head.status).to.equal(404);
  });

  it("end with the session that opened them", async () => {
    const origin = `http://localhost:${new URL(server.adminUrl).port}`;
    const signedIn = await fetch(`${server.adminUrl}/admin/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json", origin },
      body: JSON.stringify({ token: server.adminToken }),
    });
    const cookie = signedIn.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    const [own, other] = [await watch("", { cookie }), await watch()];
    await own.next("sample");
    await fetch(`${server.adminUrl}/admin/v1/session`, { method: "DELETE", headers: { cookie, origin } });
    expect(await own.next("closing")).to.deep.equal({ code: "session_ended" });
    await own.ended();
    await other.next("sample");
    expect(other.isEnded).to.equal(false);
  });

  it("end when the admin token is rotated", async () => {
    const rotating = await startServer({ config: { adminToken: undefined } });
    try {
      const token = rotating.started.firstStart.madeAdminToken ?? "";
      const url = `${rotating.adminUrl}/admin/v1`;
      const stream = await EventStreamClient.open(`${url}/live`, { authorization: `Bearer ${token}` });
      await stream.next("sample");
      const answer = await rotating.admin("/token/rotate", { method: "POST", token });
      expect(answer.status).to.equal(200);
      expect(await stream.next("closing")).to.deep.equal({ code: "session_ended" });
      await stream.ended();
    } finally {
      await rotating.close();
    }
  });

  it("are bounded in number, and a place is free again when one ends", async () => {
    const streams = await Promise.all(Array.from({ length: 64 }, () => watch("?channel=room")));
    expect(new Set(streams.map(({ status }) => status))).to.deep.equal(new Set([200]));
    expect((await watch()).status).to.equal(429);
    streams[0]?.close();
    let status = 429;
    while (status === 429) status = (await watch()).status;
    expect(status).to.equal(200);
  });

  it("say that the server closes, and do not hold it up", async () => {
    const stream = await watch("?channel=room");
    await stream.next("snapshot");
    await server.close();
    expect(await stream.next("closing")).to.deep.equal({ code: "server_shutdown" });
    await stream.ended();
  });
});
