/**
 * Has fan-out, memory or connecting become much worse than plain Socket.IO's? A few seconds and generous bounds, for
 * every change; the figures that count are those of bench:fanout, bench:memory and bench:connect. Both are measured in
 * turn on the same machine, so its speed does not matter. Ends with 1 when a bound is missed or a step hangs. Run:
 * npm run bench:regression (`OWN=sluice-rooms` measures Sluice without its fast path, and has to fail)
 */
import { buildLoadClient } from "./load/load-client.ts";
import { measureConnecting, measureFanOut, measureMemory } from "./measures.ts";
import { isPeer, type PeerKind } from "./peers/peer.ts";
import { type Check, judge, verdictOf } from "./verdict.ts";

const EFFORT = { pairs: 3, pairsAgain: 5, limitMs: 30_000 };
const WHOLE_LIMIT_MS = 200_000;

const own = process.env["OWN"] ?? "sluice";
if (!isPeer(own)) throw new Error(`no server is called ${own}`);

const binary = buildLoadClient();
// Where a machine may lack a compiler the check is left out; in CI that must not pass for a good result.
if (binary === undefined) process.exit(process.env["CI"] === undefined ? 0 : 1);
setTimeout(() => {
  console.error(`the check took longer than ${WHOLE_LIMIT_MS / 1_000} s`);
  process.exit(1);
}, WHOLE_LIMIT_MS).unref();
for (const check of checksOf(binary, own)) {
  const attempts = await judge(check, EFFORT);
  console.log(verdictOf(check, attempts));
  if (attempts.at(-1)?.isWithin !== true) process.exitCode = 1;
}

function checksOf(loadClient: string, ownKind: PeerKind): Check[] {
  const work = { channels: 1, each: 1, ids: false, members: 300, pressure: { inFlight: 32 }, seconds: 1 };
  const bothBy = (measure: (kind: PeerKind) => Promise<number>) => ({
    own: () => measure(ownKind),
    other: () => measure("socket.io"),
  });
  return [
    {
      name: "deliveries per second of CPU, 300 members, 32 publishes in flight",
      bound: { atLeast: 7 },
      ...bothBy(async (kind) => (await measureFanOut(loadClient, kind, work)).deliveriesPerServerSecond),
    },
    {
      name: "connections per second of CPU, of 1,000",
      bound: { atLeast: 0.5 },
      ...bothBy(async (kind) => {
        const { ready, serverSeconds } = await measureConnecting(loadClient, kind, 1_000, 1_000);
        return ready / serverSeconds;
      }),
    },
    {
      name: "KiB of resident memory per connection, of 1,000",
      bound: { atMost: 1.6 },
      ...bothBy((kind) => measureMemory(loadClient, kind, 1_000, 500)),
    },
  ];
}
