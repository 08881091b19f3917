/**
 * Has fan-out, memory or connecting become much worse than plain Socket.IO's? A few seconds and generous bounds, for
 * every change; the figures that count are those of bench:fanout, bench:memory and bench:connect. Each is a ratio of
 * two runs one after the other, and the best of a few pairs: what else runs on the machine must not decide. Ends with
 * 1 when a bound is missed. Run: npm run bench:regression
 */
import { buildLoadClient } from "./load/load-client.ts";
import { measureConnecting, measureFanOut, measureMemory } from "./measures.ts";
import type { PeerKind } from "./peers/peer.ts";

type Check = {
  readonly name: string;
  /** Sluice's figure by Socket.IO's is to be at least this; more is better. */
  readonly bound: number;
  readonly measure: (kind: PeerKind) => Promise<number>;
};

const MOST_PAIRS = 4;

const binary = buildLoadClient();
if (binary !== undefined) {
  for (const check of checksOf(binary)) if (!(await passes(check))) process.exitCode = 1;
}

function checksOf(loadClient: string): Check[] {
  const work = { channels: 1, each: 1, ids: false, members: 300, pressure: { inFlight: 32 }, seconds: 1 };
  return [
    {
      name: "deliveries per second of CPU, 300 members, 32 publishes in flight",
      bound: 5,
      measure: async (kind) => (await measureFanOut(loadClient, kind, work)).deliveriesPerServerSecond,
    },
    {
      name: "connections per KiB of resident memory, of 2,000",
      bound: 1 / 1.6,
      measure: async (kind) => 1 / (await measureMemory(loadClient, kind, 2_000, 1_000)),
    },
    {
      name: "connections per second of CPU, of 1,000",
      bound: 0.5,
      measure: async (kind) => {
        const { ready, serverSeconds } = await measureConnecting(loadClient, kind, 1_000, 1_000);
        return ready / serverSeconds;
      },
    },
  ];
}

async function passes({ name, bound, measure }: Check): Promise<boolean> {
  const ratios: number[] = [];
  while (ratios.length < MOST_PAIRS) {
    const own = await measure("sluice");
    ratios.push(own / (await measure("socket.io")));
    if (Math.max(...ratios) >= bound) break;
  }
  const isEnough = Math.max(...ratios) >= bound;
  const seen = ratios.map((ratio) => ratio.toFixed(2)).join(", ");
  console.log(
    `${isEnough ? "ok" : "TOO LITTLE"}: ${name}: ${seen} times Socket.IO's, at least ${bound.toFixed(2)}`,
  );
  return isEnough;
}
