import { connect as connectTcp } from "node:net";
import { expect } from "chai";
import { WebSocket } from "ws";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

describe("handshake", () => {
  let server: TestServer;
  let secret: string;
  const clients: SocketClient[] = [];
  const client = (auth: object | undefined, options: object = {}): SocketClient => {
    const made = new SocketClient(server.url, auth, options);
    clients.push(made);
    return made;
  };

  before(async () => {
    server = await startServer({ config: { connectTimeoutMs: 600 } });
    secret = (await server.createKey({ allowRealtime: true })).secret;
  });
  afterEach(() => {
    for (const one of clients.splice(0)) one.close();
  });
  after(() => server.close());

  /** A raw Engine.IO connection: what it gets, and when it ends. */
  const raw = (
    path = "/realtime/",
  ): { socket: WebSocket; texts: string[]; closed: Promise<void>; text(start: string): Promise<string> } => {
    const socket = new WebSocket(`ws://localhost:${server.port}${path}?EIO=4&transport=websocket`);
    const texts: string[] = [];
    const wakes = new Set<() => void>();
    socket.on("message", (data) => {
      texts.push(String(data));
      for (const wake of wakes) wake();
    });
    socket.on("error", () => {});
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const text = (start: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = texts.find((one) => one.startsWith(start));
          if (found !== undefined) resolve(found);
        };
        wakes.add(look);
        void closed.then(() => reject(new Error(`closed; came: ${texts.join(" ")}`)));
        look();
      });
    return { socket, texts, closed, text };
  };

  for (const transport of ["websocket", "polling"]) {
    describe(`over ${transport}`, () => {
      const refused = async (auth: object | undefined, options: object = {}): Promise<string> => {
        const one = client(auth, { transports: [transport], ...options });
        const { code, status, message } = await one.refusal();
        expect(status).to.be.a("number");
        expect(message).to.be.a("string");
        return String(code);
      };

      it("refuses a connection without a key, with a mistyped one and with an unknown one", async () => {
        expect(await refused(undefined)).to.equal("missing_api_key");
        expect(await refused({})).to.equal("missing_api_key");
        expect(await refused({ apiKey: null })).to.equal("missing_api_key");
        expect(await refused({ apiKey: `${secret.slice(0, -1)}#` })).to.equal("invalid_api_key");
        expect(await refused({ apiKey: "somebody else's" })).to.equal("invalid_api_key");
      });

      it("refuses auth of wrong types with a code", async () => {
        for (const auth of [{ apiKey: 1 }, { apiKey: { a: 1 } }, { apiKey: [secret] }, { apiKey: true }]) {
          expect(await refused(auth)).to.equal("invalid_api_key");
        }
        expect(await refused({ apiKey: secret, echoMessages: "yes" })).to.equal("invalid_payload");
        expect(await refused([secret])).to.equal("invalid_payload");
      });

      it("refuses a resume token that is none, and makes nobody of one it does not know", async () => {
        expect(await refused({ apiKey: secret, resume: 5 })).to.equal("invalid_payload");
        expect(await refused({ apiKey: secret, resume: "" })).to.equal("invalid_payload");
        await client({ apiKey: secret, resume: "unknown" }, { transports: [transport] }).ready();
      });

      it("refuses what the settings do not allow, by their code", async () => {
        const made = async (settings: Record<string, unknown>): Promise<object> => ({
          apiKey: (await server.createKey(settings)).secret,
        });
        const from = (origin: string): object => ({ extraHeaders: { origin } });
        expect(await refused(await made({}))).to.equal("realtime_not_allowed");
        expect(await refused(await made({ enabled: false, allowRealtime: true }))).to.equal(
          "disabled_api_key",
        );
        const expired = await made({ allowRealtime: true, expiresAt: "2020-01-01T00:00:00Z" });
        expect(await refused(expired)).to.equal("expired_api_key");
        const elsewhere = await made({
          allowRealtime: true,
          ips: { mode: "specified", list: ["10.0.0.0/8"] },
        });
        expect(await refused(elsewhere)).to.equal("ip_not_authorized");
        const site = await made({
          allowRealtime: true,
          domains: { mode: "specified", list: ["https://app.example.com"] },
        });
        expect(await refused(site)).to.equal("missing_request_origin");
        expect(await refused(site, from("https://evil.example.com"))).to.equal("domain_not_authorized");
        await client(site, { transports: [transport], ...from("https://app.example.com") }).ready();
      });

      it("takes the key from a header or the query as well, and refuses two different ones", async () => {
        const other = (await server.createKey({ allowRealtime: true })).secret;
        const header = { extraHeaders: { authorization: `Bearer ${secret}` } };
        await client(undefined, { transports: [transport], ...header }).ready();
        await client(undefined, { transports: [transport], query: { apikey: secret } }).ready();
        await client({ apiKey: secret }, { transports: [transport], ...header }).ready();
        expect(await refused({ apiKey: other }, header)).to.equal("invalid_api_key");
      });

      it("accepts the fields and the doubled path that Agnost's clients use", async () => {
        const auth = { apiKey: secret, echoMessages: true, envId: "env-1", session: { userId: 7 } };
        const one = await client(auth, { transports: [transport], path: "/realtime/realtime/" }).ready();
        one.socket.emit("join", { channel: "chat" });
        one.socket.emit("message", { channel: "chat", eventName: "hello", message: "there" });
        expect(await one.next("channel:join")).to.have.nested.property("message.id", one.socket.id);
        expect(await one.next("hello")).to.include({ channel: "chat", message: "there" });
      });
    });
  }

  it("closes the engine after a refusal: one attempt each", async () => {
    const { socket, text, closed, texts } = raw();
    await text("0{");
    for (let i = 0; i < 50; i += 1) socket.send('40{"apiKey":"nobody"}');
    await closed;
    expect(texts.filter((one) => one.startsWith("44")).length).to.be.at.most(1);
  });

  it("closes a connection that sends a second CONNECT", async () => {
    const { socket, text, closed } = raw();
    await text("0{");
    socket.send(`40{"apiKey":"${secret}"}`);
    await text("40{");
    socket.send(`40{"apiKey":"${secret}"}`);
    await closed;
  });

  it("answers null, text, numbers and broken JSON as auth with a refusal, and closes", async () => {
    for (const auth of ["null", '"text"', "5", "[1]", "{broken", "[]"]) {
      const { socket, text, closed } = raw();
      await text("0{");
      socket.send(`40${auth}`);
      expect(JSON.parse((await text("44")).slice(2)).data).to.deep.include({
        code: "invalid_payload",
        status: 400,
      });
      await closed;
    }
  });

  it("knows the root namespace alone", async () => {
    const { socket, text, closed } = raw();
    await text("0{");
    socket.send(`40/admin,{"apiKey":"${secret}"}`);
    expect(await text("44/admin,")).to.include("invalid_namespace");
    await closed;
  });

  it("ends the engine connection when the client leaves the namespace", async () => {
    const { socket, text, closed } = raw();
    await text("0{");
    socket.send(`40{"apiKey":"${secret}"}`);
    await text("40{");
    socket.send("41");
    await closed;
  });

  it("ends a connection that does not authenticate in time, whatever it sends", async () => {
    const startedAt = performance.now();
    const { socket, text, closed } = raw();
    await text("0{");
    const chatter = setInterval(() => socket.send("3"), 50);
    expect(await text("44")).to.include("connect_timeout");
    await closed;
    clearInterval(chatter);
    expect(performance.now() - startedAt).to.be.within(500, 3_000);
  });

  it("ends a TCP connection that says nothing", async () => {
    const socket = connectTcp(server.port, "127.0.0.1");
    const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.resume();
    await ended;
  }).timeout(15_000);

  it("lets a crowd of one address in one after the other, and bounds silent ones", async () => {
    const silent = Array.from({ length: 40 }, () => raw());
    const crowd = Array.from({ length: 400 }, () => client({ apiKey: secret }));
    await Promise.all(crowd.map((one) => one.ready()));
    await Promise.all(silent.map(({ closed }) => closed));
  });
});
