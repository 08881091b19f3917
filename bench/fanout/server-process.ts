/**
 * One of the servers that are compared, in a process of its own. Arguments: `sluice` or `socket.io`, and in how
 * many rooms the members of `spread` are: with more than one each is in five of them, and publishes go round.
 * Prints its port once it listens.
 */
import { createServer, type Server as HttpServer } from "node:http";
import { Server } from "socket.io";
import { MemoryBroker } from "../../src/channels/index.ts";
import { Gate } from "../../src/gate.ts";
import { openKeyStorage, openKeyStore } from "../../src/keys/index.ts";
import { createLogger } from "../../src/observe/log.ts";
import { Traffic } from "../../src/observe/traffic.ts";
import { parseSettings } from "../../src/policy/index.ts";
import { Realtime } from "../../src/realtime/index.ts";
import { IMPORTED_KEY } from "./key.ts";

const ROOMS_EACH = 5;
const [kind, roomsText] = process.argv.slice(2);
const rooms = Number(roomsText);

const http = createServer();
if (kind === "sluice") await startSluice(http);
else startSocketIo(http);
http.listen(0, "127.0.0.1", () => {
  const address = http.address();
  console.log(typeof address === "object" && address !== null ? address.port : address);
});

/** The same number of members in every room: each run of `rooms` members is five shifted copies of the rooms. */
function createSpread(): { roomsOf: () => string[]; next: () => string } {
  let [member, message, state] = [0, 0, 1];
  let shifts: number[] = [];
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    roomsOf() {
      if (member % rooms === 0) {
        const all = Array.from({ length: rooms }, (_, index) => ({ index, key: random() }));
        shifts = all
          .toSorted((a, b) => a.key - b.key)
          .slice(0, Math.min(ROOMS_EACH, rooms))
          .map(({ index }) => index);
      }
      member += 1;
      return shifts.map((shift) => `room-${(member + shift) % rooms}`);
    },
    next() {
      message += 1;
      return `room-${message % rooms}`;
    },
  };
}

async function startSluice(server: HttpServer): Promise<void> {
  const log = createLogger("warn");
  const keys = await openKeyStore(await openKeyStorage("memory:"), { onListenerError: () => {} });
  await keys.create(parseSettings({ name: "bench", allowRealtime: true }), { secret: IMPORTED_KEY });
  const gate = new Gate({ keys, keyRequired: true, sweepSeconds: 5, log });
  const realtime = new Realtime({
    gate,
    log,
    broker: new MemoryBroker(),
    publicOrigin: "http://localhost",
    addressOf: (request) => request.socket.remoteAddress ?? null,
    apiKeyInQuery: true,
    connectTimeoutMs: 20_000,
    maxPendingPerAddress: 1_000,
    maxConnections: 0,
    maxConnectionsPerAddress: 0,
    maxConnectionsPerKey: 0,
    maxOutboundBytes: 1024 * 1024,
    traffic: new Traffic(),
  });
  gate.watch(realtime.registry);
  const spread = createSpread();
  const { hub } = realtime;
  const join = hub.join.bind(hub);
  const publish = hub.publish.bind(hub);
  hub.join = async (id, _channel, options) => {
    const joined = await Promise.all(spread.roomsOf().map((room) => join(id, room, options)));
    return joined[0];
  };
  hub.publish = (_channel, publication, idempotency) => publish(spread.next(), publication, idempotency);
  server.on("request", (request, response) => realtime.handleRequest(request, response));
  server.on("upgrade", (request, socket, head) => realtime.handleUpgrade(request, socket, head));
}

/** What one writes with Socket.IO alone: no gate, no order, no history. */
function startSocketIo(server: HttpServer): void {
  const io = new Server(server, { path: "/realtime/", serveClient: false });
  const spread = createSpread();
  io.on("connection", (socket) => {
    socket.on("join", (_payload: unknown, acknowledge: (answer: object) => void) => {
      void socket.join(spread.roomsOf());
      acknowledge({ ok: true });
    });
    socket.on("message", ({ message }: { message: unknown }) => {
      io.to(spread.next()).emit("m", message);
    });
  });
}
