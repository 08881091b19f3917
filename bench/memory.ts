/**
 * What an idle connection takes: the growth of the server's resident memory by 10,000 WebSocket connections, each in one
 * channel, Sluice with presence and recovery, plain Socket.IO in one room. Fresh processes, in pairs; the
 * clients are in another. Run: npm run bench:memory -- [rounds] (`CONNECTIONS=10000`; `--write` keeps the figures)
 */

import { besideSocketIo } from "./beside-socket-io.ts";
import { measureMemory } from "./measures.ts";
import { MEMORY_QUANTITIES } from "./report/connections.ts";

const CONNECTIONS = Number(process.env["CONNECTIONS"] ?? 10_000);
const IDLE_MS = 10_000;

await besideSocketIo({
  name: "memory",
  quantities: MEMORY_QUANTITIES,
  measure: (loadClient, kind) => measureMemory(loadClient, kind, CONNECTIONS, IDLE_MS),
  values: { idle: (kib) => kib },
});
