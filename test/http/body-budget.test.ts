import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { Socket } from "node:net";
import { expect } from "chai";
import { Gate } from "../../src/gate/gate.ts";
import { startServer, type TestServer } from "../helpers/server.ts";

const MIB = 1024 * 1024;

describe("the budget of HTTP bodies", () => {
  let server: TestServer;
  let greedy: string;
  let modest: string;
  const open: ClientRequest[] = [];

  before(async () => {
    const handler = (): string => "taken";
    server = await startServer({
      config: {
        maxWaitingBytes: 16 * MIB,
        endpoints: [{ id: "take", method: "POST", path: "/take", handler, maxBodyBytes: 32 * MIB }],
      },
    });
    const settings = { endpoints: { mode: "full-access" } };
    greedy = (await server.createKey(settings)).secret;
    modest = (await server.createKey(settings)).secret;
  });
  afterEach(() => {
    for (const sent of open.splice(0)) sent.destroy();
  });
  after(() => server.close());

  /** A call that sends its head and waits to be asked for its body. */
  const begin = (key: string, headers: Record<string, string | number>): ClientRequest => {
    const sent = request(`${server.url}/api/take`, {
      method: "POST",
      headers: {
        "x-api-key": key,
        "content-type": "application/octet-stream",
        expect: "100-continue",
        ...headers,
      },
    });
    sent.on("error", () => {});
    sent.flushHeaders();
    open.push(sent);
    return sent;
  };
  const hold = (key: string, bytes: number): Promise<unknown> =>
    once(begin(key, { "content-length": bytes }), "continue");
  const statusOf = async (sent: ClientRequest): Promise<number | undefined> => {
    const [response]: IncomingMessage[] = await once(sent, "response");
    response?.resume();
    return response?.statusCode;
  };
  const metric = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${server.adminToken}` };
    const text = await (await fetch(`${server.adminUrl}/metrics`, { headers })).text();
    return Number(/^sluice_budget_used\{[^}]*http_body_bytes[^}]*\} (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  };

  it("refuses whoever fills it, before the body is read, and nobody below its share", async () => {
    await hold(greedy, 10 * MIB);
    await hold(greedy, 5 * MIB);
    expect(await statusOf(begin(greedy, { "content-length": 2 * MIB }))).to.equal(503);
    expect(await statusOf(begin(greedy, { "transfer-encoding": "chunked" }))).to.equal(503);
    await hold(modest, 2 * MIB);
    await hold(modest, 5 * MIB);
    expect(await statusOf(begin(modest, { "content-length": 2 * MIB }))).to.equal(503);
  });

  it("counts an upload that is streamed by little, and gives back what is over", async () => {
    const type = "multipart/form-data; boundary=b";
    for (let n = 0; n < 20; n += 1) {
      const sent = begin(greedy, { "content-length": 8 * MIB, "content-type": type });
      expect(await statusOf(sent)).to.equal(200);
      sent.destroy();
    }
    while ((await metric()) > 0) await new Promise((resolve) => setImmediate(resolve));
    await hold(greedy, 15 * MIB);
    expect(await metric()).to.equal(15 * MIB);
  });

  it("takes a body larger than itself when it is empty, and charges a call without one nothing", async () => {
    while ((await metric()) > 0) await new Promise((resolve) => setImmediate(resolve));
    await hold(greedy, 20 * MIB);
    const response = await fetch(`${server.url}/api/take`, {
      method: "POST",
      headers: { "x-api-key": greedy },
    });
    expect(response.status).to.equal(200);
  });

  it("is charged nothing for whoever went while the key was looked up", async () => {
    while ((await metric()) > 0) await new Promise((resolve) => setImmediate(resolve));
    const authenticate = Gate.prototype.authenticate;
    let onAsked: (() => void) | undefined;
    let letOn: (() => void) | undefined;
    let onClosed: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    const gone = new Promise<void>((resolve) => {
      letOn = resolve;
    });
    Gate.prototype.authenticate = async function (...args) {
      onAsked?.();
      await gone;
      return authenticate.apply(this, args);
    };
    const closed = new Promise<void>((resolve) => {
      onClosed = resolve;
    });
    const note = (message: unknown): void => {
      const socket: unknown =
        typeof message === "object" && message !== null ? Reflect.get(message, "socket") : undefined;
      if (socket instanceof Socket) socket.once("close", () => onClosed?.());
    };
    diagnostics.subscribe("net.server.socket", note);
    try {
      const sent = begin(greedy, { "content-length": 5 * MIB });
      await asked;
      sent.destroy();
      await closed;
    } finally {
      diagnostics.unsubscribe("net.server.socket", note);
      Gate.prototype.authenticate = authenticate;
      letOn?.();
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(await metric()).to.equal(0);
  });
});
