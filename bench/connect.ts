/**
 * How fast connections come in: Sluice with its whole gate (a key each, the handshake decided, `connection:ready`)
 * against plain Socket.IO, which asks for nothing. WebSocket, 50 at a time, each server on one core, in pairs. Run:
 * npm run bench:connect -- [rounds] (`CONNECTIONS=5000`; `--write` keeps the figures)
 */
import { besideSocketIo } from "./beside-socket-io.ts";
import { measureConnecting } from "./measures.ts";
import { CONNECT_QUANTITIES } from "./report/connections.ts";

const CONNECTIONS = Number(process.env["CONNECTIONS"] ?? 5_000);
/** Connections that come and go before: they compile the program's paths. */
const WARM_UP = 2_000;

await besideSocketIo({
  name: "connect",
  quantities: CONNECT_QUANTITIES,
  measure: (loadClient, kind) => measureConnecting(loadClient, kind, CONNECTIONS, WARM_UP),
  values: {
    cpu: ({ ready, serverSeconds }) => ready / serverSeconds,
    clock: ({ ready, seconds }) => ready / seconds,
  },
});
