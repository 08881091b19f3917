/**
 * How fast connections come in: Sluice with its whole gate (a key each, the handshake decided, `connection:ready`)
 * against plain Socket.IO, which asks for nothing. WebSocket, each server on one core, in pairs. Run:
 * npm run bench:connect [rounds] (`CONNECTIONS=5000`; `--write` keeps the figures)
 */
import { buildLoadClient } from "./load/load-client.ts";
import { measureConnecting } from "./measures.ts";
import { inPairs, ratiosOf } from "./pairs.ts";
import type { PeerKind } from "./peers/peer.ts";
import { machine, saveResult } from "./results.ts";

const CONNECTIONS = Number(process.env["CONNECTIONS"] ?? 5_000);
const ROUNDS = Number(process.argv[2] ?? 5) || 5;
const GOAL = 0.9;
/** Connections that come and go before: they compile the program's paths. */
const WARM_UP = 2_000;

const binary = buildLoadClient();
if (binary !== undefined) await bench(binary);

async function bench(loadClient: string): Promise<void> {
  const where = machine();
  const measured = (kind: PeerKind) => () => measureConnecting(loadClient, kind, CONNECTIONS, WARM_UP);
  const pairs = await inPairs(ROUNDS, measured("sluice"), measured("socket.io"));
  const perCpu = ratiosOf(pairs, ({ ready, serverSeconds }) => ready / serverSeconds);
  const perSecond = ratiosOf(pairs, ({ ready, seconds }) => ready / seconds);
  console.log(
    `${where}. ${CONNECTIONS} connections, 50 at a time, after ${WARM_UP} others; medians of ${ROUNDS} pairs.\n`,
  );
  console.log("| connections | Sluice | Socket.IO | ratio: median (least to most) | goal |");
  console.log("| --- | ---: | ---: | --- | --- |");
  for (const [name, ratio] of [
    ["a second of the server's CPU", perCpu],
    ["a second", perSecond],
  ] as const) {
    console.log(
      `| ${name} | ${ratio.own.toFixed(0)} | ${ratio.other.toFixed(0)} ` +
        `| ${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)}) | at least ${GOAL} |`,
    );
  }
  const described = { connections: CONNECTIONS, warmUp: WARM_UP, rounds: ROUNDS, goal: GOAL };
  saveResult("connect", { machine: where, ...described, perCpu, perSecond });
}
