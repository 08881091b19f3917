/**
 * What an idle connection takes: the growth of the server's resident memory by 10,000 WebSocket connections, each in one
 * channel, Sluice with presence and recovery, plain Socket.IO in one room. Fresh processes, in pairs; the
 * clients are in another. Run: npm run bench:memory [rounds] (`CONNECTIONS=10000`; `--write` keeps the figures)
 */
import { buildLoadClient } from "./load/load-client.ts";
import { measureMemory } from "./measures.ts";
import { inPairs, ratiosOf } from "./pairs.ts";
import type { PeerKind } from "./peers/peer.ts";
import { machine, saveResult } from "./results.ts";

const CONNECTIONS = Number(process.env["CONNECTIONS"] ?? 10_000);
const ROUNDS = Number(process.argv[2] ?? 3) || 3;
const GOAL = 1.1;
const IDLE_MS = 10_000;

const binary = buildLoadClient();
if (binary !== undefined) await bench(binary);

async function bench(loadClient: string): Promise<void> {
  const where = machine();
  const measured = (kind: PeerKind) => () => measureMemory(loadClient, kind, CONNECTIONS, IDLE_MS);
  const pairs = await inPairs(ROUNDS, measured("sluice"), measured("socket.io"));
  const ratio = ratiosOf(pairs, (kib) => kib);
  console.log(
    `${where}. KiB of resident memory per idle connection, ${CONNECTIONS} connections, medians of ${ROUNDS} pairs.\n`,
  );
  console.log("| Sluice | Socket.IO | ratio: median (least to most) | goal |\n| ---: | ---: | --- | --- |");
  console.log(
    `| ${ratio.own.toFixed(1)} | ${ratio.other.toFixed(1)} ` +
      `| ${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)}) | at most ${GOAL} |`,
  );
  saveResult("memory", {
    machine: where,
    connections: CONNECTIONS,
    rounds: ROUNDS,
    goal: GOAL,
    ratio,
    pairs,
  });
}
