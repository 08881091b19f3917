/**
 * Fan-out against named peers, on the same work: messages of about 100 bytes over WebSocket to members that count
 * them. Each server on core 0, the load client on core 1, one at a time, Sluice and a peer in pairs. Run:
 * npm run bench:fanout -- [rounds] [scenario …] (`PEERS=socket.io,uws` for less; `--write` keeps the figures)
 */
import { buildLoadClient, type Measured } from "./load/load-client.ts";
import { measureFanOut } from "./measures.ts";
import { inPairs, type Pair } from "./pairs.ts";
import { PEERS, type PeerKind, startPeer } from "./peers/peer.ts";
import { Comparisons, compare, type Figures } from "./report/comparison.ts";
import { FAN_OUT_COLUMNS, fanOutKey, fanOutRow, peersOf } from "./report/fan-out.ts";
import { describe, provenance } from "./report/kept.ts";
import { tableHead, tableRow } from "./report/table.ts";
import { keep } from "./results.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";

const SECONDS = 3;

const args = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const rounds = Number(args[0] ?? 3);
if (!(rounds >= 1)) throw new Error(`"${args[0]}" is no number of rounds`);
const wanted = new Set(args.slice(1));
const unknown = [...wanted].filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (unknown.length > 0) throw new Error(`no scenario is called ${unknown.join(", ")}`);
const only = process.env["PEERS"]?.split(",");
const missing = new Map<PeerKind, string>();

const binary = buildLoadClient();
if (binary !== undefined) {
  for (const scenario of SCENARIOS) {
    if (wanted.size === 0 || wanted.has(scenario.name)) await bench(binary, scenario);
  }
  for (const [kind, why] of missing)
    console.log(`\nNot measured: ${PEERS[kind]} cannot be had here (${why})`);
}

async function bench(loadClient: string, scenario: Scenario): Promise<void> {
  console.log(`\n### ${scenario.title}\n\n${describe(provenance())}\n\n${tableHead(FAN_OUT_COLUMNS)}`);
  for (const kind of peersOf(scenario)) {
    if (missing.has(kind) || only?.includes(kind) === false) continue;
    const measured = provenance();
    const pairs = await measurePairs(loadClient, scenario, kind);
    if (pairs === undefined) continue;
    const comparison = compare(measured, pairs, (one) => figuresOf(scenario, one));
    console.log(tableRow(fanOutRow(scenario, kind, comparison)));
    const faults = pairs.flatMap(({ own, other }) => [own, other]).map((one) => one.stalls + one.closed);
    if (faults.some((count) => count > 0)) console.log(`stalls and lost connections: ${faults.join(", ")}`);
    keep("fanout", Comparisons, (kept) => ({ ...kept, [fanOutKey(scenario, kind)]: comparison }));
  }
}

function figuresOf({ rate, members }: Scenario, one: Measured): Figures {
  const figures = {
    value: one.deliveriesPerServerSecond,
    p50Ms: one.p50Us / 1_000,
    p99Ms: one.p99Us / 1_000,
  };
  return rate === undefined ? figures : { ...figures, sustained: one.deliveriesPerSecond / (rate * members) };
}

async function measurePairs(
  loadClient: string,
  scenario: Scenario,
  kind: PeerKind,
): Promise<Pair<Measured>[] | undefined> {
  const { channels = 1, each = 1, ids = false } = scenario;
  try {
    const peer = await startPeer(kind, { channels, each, ids: false });
    await peer.stop();
  } catch (error) {
    missing.set(kind, error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
    return undefined;
  }
  const { members, inFlight = 1, rate } = scenario;
  const pressure = rate === undefined ? { inFlight } : { ratePerSecond: rate };
  const work = { channels, each, members, pressure, seconds: SECONDS };
  const measured = (one: PeerKind) => () =>
    measureFanOut(loadClient, one, { ...work, ids: ids && one === "sluice" });
  return inPairs(rounds, measured("sluice"), measured(kind));
}
