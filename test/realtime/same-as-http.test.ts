import { expect } from "chai";
import { WebSocket } from "ws";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const PROBE = { id: "probe", method: "GET", path: "/probe", handler: () => "here" } as const;

describe("a request over sockets and the same over HTTP", () => {
  let server: TestServer;
  let secret: string;
  let client: SocketClient;

  before(async () => {
    server = await startServer({ config: { endpoints: [PROBE] } });
    ({ secret } = await server.createKey({ allowRealtime: true, endpoints: { mode: "full-access" } }));
    client = await new SocketClient(server.url, { apiKey: secret }).ready();
    await client.request("join", { channel: "a" });
    for (let message = 0; message < 1_005; message += 1)
      client.socket.emit("message", { channel: "a", eventName: "say", message });
    await client.settle();
  });
  after(async () => {
    client.close();
    await server.close();
  });

  const overHttp = async (list: string, limit: number): Promise<Record<string, unknown>> => {
    const response = await fetch(`${server.url}/channels/${list}?channel=a&limit=${limit}`, {
      headers: { "x-api-key": secret },
    });
    return { ok: response.ok, ...toRecord(await response.json()) };
  };
  const sizeOf = ({ ok, messages, members }: Record<string, unknown>): unknown => {
    const page = messages ?? members;
    return ok === true && Array.isArray(page) ? page.length : ok;
  };

  for (const list of ["history", "members"]) {
    for (const limit of [1, 1_000, 1_001, 9_999, 10_000, 1_000_000_000]) {
      it(`gives the same page of ${list} with the limit ${limit}`, async () => {
        const size = sizeOf(await client.request(list, { channel: "a", limit }));
        expect(size).to.equal(list === "members" ? 1 : Math.min(limit, 1_000));
        expect(sizeOf(await overHttp(list, limit))).to.equal(size);
      });
    }
    for (const limit of [0, -1, 1.5, 1e30]) {
      it(`is refused alike for ${list} with the limit ${limit}`, async () => {
        expect(sizeOf(await client.request(list, { channel: "a", limit }))).to.equal(false);
        expect(sizeOf(await overHttp(list, limit))).to.equal(false);
      });
    }
  }

  for (const [what, around] of [
    ["a line end", ["", "\n"]],
    ["the line end of another system", ["", "\r\n"]],
    ["white space", [" \t", "  "]],
    ["empty lines", ["\n\n", "\n"]],
  ] as const) {
    it(`takes a key with ${what} around it`, async () => {
      const key = `${around[0]}${secret}${around[1]}`;
      const inQuery = `apikey=${encodeURIComponent(key)}`;
      const own = [
        new SocketClient(server.url, { apiKey: key }),
        new SocketClient(server.url, { apiKey: key }, { transports: ["polling"] }),
        new SocketClient(server.url, undefined, { query: { apikey: key } }),
        new SocketClient(server.url, undefined, { extraHeaders: { "x-api-key": secret } }),
      ];
      for (const one of own) (await one.ready()).close();
      for (const url of [`${server.url}/api/probe?${inQuery}`, `${server.url}/channels?${inQuery}`])
        expect((await fetch(url)).status).to.equal(200);
      for (const headers of [{ "x-api-key": key }, { authorization: `Bearer ${secret}${around[1]}` }])
        expect((await fetch(`${server.url}/api/probe`, { headers })).status).to.equal(200);
    });
  }

  it("refuses a key with a line end in it", async () => {
    const key = `${secret.slice(0, 10)}\n${secret.slice(10)}`;
    expect(await new SocketClient(server.url, { apiKey: key }).refusal()).to.include({
      code: "invalid_api_key",
    });
    const answer = await fetch(`${server.url}/api/probe?apikey=${encodeURIComponent(key)}`);
    expect(await answer.json()).to.include({ code: "invalid_api_key" });
  });
});

describe("the pings of a server", () => {
  it("come as often as the configuration says, and a client that does not answer is closed in time", async () => {
    const server = await startServer({ config: { pingIntervalMs: 1_000, pingTimeoutMs: 1_000 } });
    const { secret } = await server.createKey({ allowRealtime: true });
    const socket = new WebSocket(`ws://localhost:${server.port}/realtime/?EIO=4&transport=websocket`);
    const heard: string[] = [];
    const closed = new Promise<void>((resolve) => socket.addEventListener("close", () => resolve()));
    socket.addEventListener("message", ({ data }) => {
      heard.push(String(data));
      if (String(data).startsWith("0{")) socket.send(`40{"apiKey":"${secret}"}`);
      if (data === "2" && heard.filter((one) => one === "2").length < 2) socket.send("3");
    });
    await closed;
    expect(JSON.parse(heard[0]?.slice(1) ?? "")).to.include({ pingInterval: 1_000, pingTimeout: 1_000 });
    expect(heard.filter((one) => one === "2")).to.have.lengthOf(2);
    await server.close();
  });
});
