/**
 * Thousands who join one channel as fast as they can, while members of it and of another one send and listen. The
 * server has one core; the load client that joins and the crowd that measures share the other. Run:
 * npm run bench:storm -- [rounds] (`CONNECTIONS=10000`; `--write` keeps the figures)
 */
import { nowMs } from "./crowd/child.ts";
import { Crowd, type Summary } from "./crowd/crowd.ts";
import { ServerProcess } from "./crowd/server.ts";
import { buildLoadClient, LoadClient } from "./load/load-client.ts";
import { room, socketIoArguments } from "./load/scripts.ts";
import { pin, within } from "./processes.ts";
import { describe, provenance } from "./report/kept.ts";
import { type Storm, StormFigures, stormText } from "./report/storm.ts";
import { keep } from "./results.ts";

const CONNECTIONS = Number(process.env["CONNECTIONS"] ?? 10_000);
const CHANNEL = room(0);
const INSIDERS = 2;
const INSIDERS_EVERY_MS = 250;
const OUTSIDERS = 20;
const OUTSIDERS_EVERY_MS = 40;
const LIMIT_MS = 120_000;

const [argument = "3"] = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const rounds = Number(argument);
if (!(rounds >= 1)) throw new Error(`"${argument}" is no number of rounds`);
const binary = buildLoadClient();
if (binary !== undefined) {
  const measured = provenance();
  const storms: Storm[] = [];
  for (let round = 0; round < rounds; round += 1) {
    storms.push(await within(LIMIT_MS, "a storm", storm(binary)));
  }
  const figures = { measured, connections: CONNECTIONS, storms };
  console.log(`${describe(measured)}\n\n${stormText(figures)}`);
  keep("storm", StormFigures, () => figures);
}

async function storm(loadClient: string): Promise<Storm> {
  const server = new ServerProcess();
  const crowd = new Crowd();
  let load: LoadClient | undefined;
  try {
    pin(server.child.process.pid, 0);
    pin(crowd.child.process.pid, 1);
    await server.start("memory:");
    const { secret } = await server.createKey({ name: "storm" });
    const open = (group: string, count: number, channel: string): Promise<number> =>
      crowd.open({
        ...{ group, count, port: server.port, apiKey: secret },
        ...{ channels: [channel], localAddresses: ["127.0.0.9"] },
      });
    await open("insiders", INSIDERS, CHANNEL);
    await open("outsiders", OUTSIDERS, "elsewhere");
    await Promise.all([
      crowd.flow("insiders", INSIDERS_EVERY_MS),
      crowd.flow("outsiders", OUTSIDERS_EVERY_MS),
    ]);
    // The first messages compile what the others use.
    await server.mark(secret, [CHANNEL, "elsewhere"]);
    await Promise.all([crowd.reset("insiders"), crowd.reset("outsiders"), server.load()]);

    const fromMs = nowMs();
    load = new LoadClient(loadClient, [
      ...["--port", String(server.port)],
      ...socketIoArguments(secret, { channels: 1, each: 1, ids: false }),
      ...["--connect-only", "--members", String(CONNECTIONS), "--sources", "8", "--connecting", "50"],
      ...["--pid", String(server.child.process.pid)],
    ]);
    const { seconds, serverSeconds } = await load.connected();
    const untilMs = nowMs();
    const { max: loopMaxMs } = await server.load();
    const { ids, count } = await server.membersOf(secret, CHANNEL);
    const expected = CONNECTIONS + INSIDERS;
    if (count !== expected || new Set(ids).size !== expected)
      throw new Error(`${count} members are counted and ${new Set(ids).size} are listed, not ${expected}`);
    const [inside, outside] = await Promise.all([
      crowd.report("insiders", fromMs, untilMs),
      crowd.report("outsiders", fromMs, untilMs),
    ]);
    for (const { gone, latency } of [inside, outside]) {
      if (gone > 0 || latency.count === 0) throw new Error(JSON.stringify({ inside, outside }));
    }
    return {
      ...{ seconds, serverSeconds, loopMaxMs },
      ...{ inside: latencyOf(inside), outside: latencyOf(outside) },
      told: (inside.joins + inside.counts) / INSIDERS,
    };
  } finally {
    await Promise.all([load?.stop(), crowd.stop(), server.stop()]);
  }
}

function latencyOf({ latency: { p50, p99, max } }: Summary): Storm["inside"] {
  return { p50Ms: p50, p99Ms: p99, maxMs: max };
}
