/**
 * One of the servers that run on Node, in a process of its own. Arguments: its kind, and the token of its admin API if
 * it has one. Prints where it listens. It opens no connection itself: one client socket makes Node's streams
 * polymorphic, and the end of its keep-alive throws away what was compiled for them.
 */
import { createServer as createHttpServer } from "node:http";
import { Socket as EngineSocket } from "engine.io";
import { Server } from "socket.io";
import { type WebSocket, WebSocketServer } from "ws";
import { type ConfigInput, resolveConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createServer } from "../../src/server.ts";

const [kind, adminToken] = process.argv.slice(2);

if (kind === "sluice") await startSluice({});
else if (kind === "sluice-bare")
  await startSluice({ channels: [{ pattern: "**", history: { size: 0, seconds: 0 } }] });
else if (kind === "sluice-rooms") {
  hideUpgrading();
  await startSluice({});
} else if (kind === "socket.io") startSocketIo();
else if (kind === "ws") startWs();
else throw new Error(`no server is called ${kind}`);

function listening(port: number, adminUrl?: string): void {
  console.log(JSON.stringify({ port, adminUrl }));
}

/** The whole server, as `sluice start` runs it, but for the store, which is in memory. */
async function startSluice(settings: ConfigInput): Promise<void> {
  const config = resolveConfig({
    port: 0,
    adminPort: 0,
    host: "127.0.0.1",
    store: "memory:",
    ...(adminToken !== undefined && { adminToken }),
    ...settings,
  });
  const { url, adminUrl } = await createServer(config, { log: createLogger("error") }).start();
  listening(Number(new URL(url).port), adminUrl);
}

/**
 * Make a field of engine.io look as another version might have it: the fast path is then not used, and nothing else
 * is different.
 */
function hideUpgrading(): void {
  const values = new WeakMap<EngineSocket, number>();
  Object.defineProperty(EngineSocket.prototype, "upgrading", {
    get(this: EngineSocket) {
      return values.get(this) ?? 0;
    },
    set(this: EngineSocket, value: unknown) {
      values.set(this, Number(value));
    },
  });
}

/** What one writes with Socket.IO alone: no gate, no order, no history. */
function startSocketIo(): void {
  const http = createHttpServer();
  const io = new Server(http, { path: "/realtime/", serveClient: false });
  io.on("connection", (socket) => {
    socket.on("join", ({ channel }: { channel: string }, acknowledge: (answer: object) => void) => {
      void socket.join(channel);
      acknowledge({ ok: true });
    });
    socket.on("message", ({ channel, message }: { channel: string; message: unknown }) => {
      io.to(channel).emit("m", message);
    });
  });
  http.listen(0, "127.0.0.1", () => {
    const address = http.address();
    if (typeof address === "object" && address !== null) listening(address.port);
  });
}

/** A loop over the members, each sent the same bytes. */
function startWs(): void {
  const members = new Set<WebSocket>();
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false }, () => {
    const address = server.address();
    if (typeof address === "object" && address !== null) listening(address.port);
  });
  server.on("connection", (socket, request) => {
    socket.send("ready");
    if (request.url === "/member") {
      members.add(socket);
      socket.on("close", () => members.delete(socket));
      return;
    }
    socket.on("message", (data) => {
      for (const member of members) member.send(data, { binary: false });
    });
  });
}
