import { expect } from "chai";
import { Link } from "../helpers/link.ts";
import { toRecord } from "../helpers/record.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";

const MESSAGE = "m".repeat(100_000);
const MAX_MESSAGES = 400;

describe("publishing over HTTP to readers who do not keep up", () => {
  let server: TestServer;
  let link: Link;
  let greedy: { id: string; secret: string };
  let modest: { id: string; secret: string };

  before(async () => {
    server = await startServer({ config: { maxUnsentBytes: 4 * 1024 * 1024, maxUnreadMs: 60_000 } });
    greedy = await server.createKey({ allowRealtime: true });
    modest = await server.createKey({ allowRealtime: true });
    link = await Link.open(server.port);
  });
  after(async () => {
    link.close();
    await server.close();
  });

  const post = (path: string, secret: string, body: unknown): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      method: "POST",
      headers: { "x-api-key": secret, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const publish = (secret: string, message: unknown): Promise<Response> =>
    post("/channels/publish", secret, { channel: "room", eventName: "n", message });

  it("is refused as over sockets to the key whose messages wait, on every path, and to no other key", async () => {
    const reader = await new SocketClient(link.url, { apiKey: modest.secret }).ready();
    await reader.request("join", { channel: "room" });
    const { socket } = await new SocketClient(server.url, { apiKey: greedy.secret }).ready();
    link.stall();
    let answer = await publish(greedy.secret, MESSAGE);
    for (let sent = 1; answer.ok && sent < MAX_MESSAGES; sent += 1) {
      await answer.arrayBuffer();
      answer = await publish(greedy.secret, MESSAGE);
    }
    // All at once: a reader that takes nothing for a second is ended, and then there is room again.
    const message = { channel: "elsewhere", eventName: "n", message: 1 };
    const [said, batch, broadcast, other]: [unknown, Response, Response, Response] = await Promise.all([
      socket.emitWithAck("message", message),
      post("/channels/publish/batch", greedy.secret, { messages: [message] }),
      post("/channels/broadcast", greedy.secret, { eventName: "n", message: 1 }),
      publish(modest.secret, 1),
    ]);
    expect(answer.headers.get("retry-after")).to.equal("1");
    const { error } = toRecord(said);
    const { code, detail } = toRecord(await answer.json());
    expect(toRecord(error)).to.deep.equal({ code, message: detail, afterMs: 1_000 });
    expect(code).to.equal("unavailable");
    expect([answer, batch, broadcast, other].map(({ status }) => status)).to.deep.equal([503, 503, 503, 200]);
    socket.close();
    reader.close();
  });
});
