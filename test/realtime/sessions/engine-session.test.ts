import { once } from "node:events";
import { createServer } from "node:http";
import { expect } from "chai";
import { Server as Engine, type Socket as EngineSocket } from "engine.io";
import { WebSocket } from "ws";
import { refuse } from "../../../src/protocol/index.ts";
import { Slot } from "../../../src/realtime/admission/admission.ts";
import { Reading } from "../../../src/realtime/flow/reading.ts";
import { EngineSession } from "../../../src/realtime/sessions/engine-session.ts";

type Opened = { session: EngineSession; conn: EngineSocket; heard: string[]; closed: Promise<unknown> };

describe("a session that holds its writes", () => {
  const reading = new Reading({
    maxRequestsPerSecond: 20_000,
    maxReceivedBytesPerSecond: 64 * 1024 * 1024,
    maxWaitingBytes: 64 * 1024 * 1024,
  });
  const http = createServer();
  const engine = new Engine();
  let port: number;
  before(async () => {
    engine.attach(http);
    await once(http.listen(0, "127.0.0.1"), "listening");
    const address = http.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  after(() => {
    engine.close();
    http.close();
    reading.close();
  });

  const open = async (): Promise<Opened> => {
    const opened = once(engine, "connection");
    const client = new WebSocket(`ws://127.0.0.1:${port}/engine.io/?EIO=4&transport=websocket`);
    const heard: string[] = [];
    client.on("message", (data) => heard.push(String(data)));
    const closed = once(client, "close");
    const [conn]: EngineSocket[] = await opened;
    if (conn === undefined) throw new Error("no connection");
    const session = new EngineSession({
      conn,
      sid: "s",
      whence: { origin: undefined, ip: null },
      addressGroup: "",
      slot: new Slot(() => {}),
      presented: { secret: undefined },
      tcp: conn.request.socket,
      connectTimeoutMs: 60_000,
      outbound: { maxOutboundBytes: 1024, maxUnreadMs: 10_000 },
      reading,
    });
    conn.once("close", () => session.dispose());
    await once(client, "message");
    heard.length = 0;
    return { session, conn, heard, closed };
  };

  it("sends them when it lets go of them, once", async () => {
    const { session, conn, heard, closed } = await open();
    const { socket } = conn.request;
    session.outbound.holdWrites();
    conn.send("a");
    expect(socket.writableCorked).to.equal(1);
    expect(socket.writableLength).to.be.above(0);
    session.outbound.writeHeld();
    session.outbound.writeHeld();
    expect([socket.writableCorked, socket.writableLength]).to.deep.equal([0, 0]);
    conn.close();
    await closed;
    expect(heard[0]).to.equal("4a");
  });

  it("sends them when it is refused meanwhile, before it closes", async () => {
    const { session, conn, heard, closed } = await open();
    session.outbound.holdWrites();
    session.refuse(refuse("connect_timeout"));
    await closed;
    expect(conn.request.socket.writableCorked).to.equal(0);
    expect(heard[0]).to.contain("connect_timeout");
  });

  it("holds nothing back when the connection is gone", async () => {
    const { session, conn } = await open();
    session.outbound.holdWrites();
    conn.close(true);
    expect(session.state).to.equal("closing");
    expect(conn.request.socket.writableCorked).to.equal(0);
  });
});
