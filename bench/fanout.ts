/**
 * Fan-out against named peers, on the same work: messages of about 100 bytes over WebSocket to members that count
 * them. Each server on core 0, the load client on core 1, one at a time, Sluice and a peer in pairs. Run:
 * npm run bench:fanout [rounds] [scenario …] (`PEERS=socket.io,uws` for less; `--write` keeps the figures)
 */
import { buildLoadClient, type Measured } from "./load/load-client.ts";
import { measureFanOut } from "./measures.ts";
import { inPairs, median, type Pair, ratiosOf } from "./pairs.ts";
import { isPeer, PEERS, type PeerKind, startPeer } from "./peers/peer.ts";
import { machine, saveResult } from "./results.ts";

type Goal = { readonly atLeast: number } | { readonly lowerP99: true } | undefined;
type Scenario = {
  readonly name: string;
  readonly title: string;
  readonly members: number;
  /** Publishes in flight, or a second. */
  readonly inFlight?: number;
  readonly rate?: number;
  readonly channels?: number;
  readonly each?: number;
  /** Sluice publishes with an id of its own each. */
  readonly ids?: boolean;
  readonly peers: Partial<Record<PeerKind, Goal>>;
};

const SECONDS = 3;
const SCENARIOS: readonly Scenario[] = [
  {
    name: "1000-w32",
    title: "1,000 members, 32 publishes in flight",
    members: 1_000,
    inFlight: 32,
    peers: {
      "socket.io": { atLeast: 25 },
      nchan: { atLeast: 15 },
      uws: { atLeast: 0.9 },
      ws: undefined,
      nats: undefined,
    },
  },
  {
    name: "5000-w32",
    title: "5,000 members, 32 publishes in flight",
    members: 5_000,
    inFlight: 32,
    peers: { "socket.io": { atLeast: 20 }, uws: { atLeast: 0.75 }, nchan: undefined, nats: undefined },
  },
  {
    name: "2000x5-w64",
    title: "2,000 connections, 5 of 50 channels each, 64 publishes in flight",
    members: 2_000,
    channels: 50,
    each: 5,
    inFlight: 64,
    peers: { "socket.io": { atLeast: 6 }, uws: undefined },
  },
  {
    name: "1000-w1",
    title: "1,000 members, one publish in flight: nothing can be batched",
    members: 1_000,
    inFlight: 1,
    peers: {
      "socket.io": { atLeast: 1.1 },
      nchan: undefined,
      uws: undefined,
      ws: undefined,
      nats: undefined,
    },
  },
  {
    name: "1000-r3000",
    title: "1,000 members, 3,000 publishes a second on schedule",
    members: 1_000,
    rate: 3_000,
    peers: { nats: { lowerP99: true } },
  },
  {
    name: "history",
    title: "1,000 members, 32 in flight: ids and two minutes of history against neither",
    members: 1_000,
    inFlight: 32,
    ids: true,
    peers: { "sluice-bare": { atLeast: 0.85 } },
  },
];

const args = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const rounds = Number(args[0] ?? 3);
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
  const where = machine();
  console.log(`\n### ${scenario.title}\n\n${where}; medians of ${rounds} pairs of ${SECONDS} s.\n`);
  console.log(
    "| peer | deliveries per s of CPU: Sluice | peer | ratio: median (least to most) | goal | p50 / p99 ms: Sluice | peer |",
  );
  console.log("| --- | ---: | ---: | --- | --- | ---: | ---: |");
  const rows: object[] = [];
  for (const kind of Object.keys(PEERS).filter(isPeer)) {
    if (!(kind in scenario.peers) || missing.has(kind) || only?.includes(kind) === false) continue;
    const pairs = await measurePairs(loadClient, scenario, kind);
    if (pairs === undefined) continue;
    const row = rowOf(kind, scenario.peers[kind], pairs);
    rows.push(row);
    console.log(
      `| ${PEERS[kind]} | ${amount(row.ratio.own)} | ${amount(row.ratio.other)} ` +
        `| ${row.ratio.median.toFixed(2)} (${row.ratio.least.toFixed(2)} to ${row.ratio.most.toFixed(2)}) ` +
        `| ${row.goal}${row.isMet === undefined ? "" : row.isMet ? " ✓" : " ✗ missed"} ` +
        `| ${row.own.p50Ms.toFixed(1)} / ${row.own.p99Ms.toFixed(1)} | ${row.other.p50Ms.toFixed(1)} / ${row.other.p99Ms.toFixed(1)} |`,
    );
    if (scenario.rate !== undefined) {
      const shares = [row.own, row.other].map((one) => `${(one.sustained * 100).toFixed(1)} %`);
      console.log(`\nDelivered of what was scheduled: Sluice ${shares[0]}, ${PEERS[kind]} ${shares[1]}\n`);
    }
    if (row.stalls > 0) console.log(`\n${row.stalls} stalls or lost connections\n`);
  }
  saveResult(`fanout-${scenario.name}`, { machine: where, rounds, seconds: SECONDS, ...scenario, rows });

  function rowOf(kind: PeerKind, goal: Goal, pairs: readonly Pair<Measured>[]) {
    const ratio = ratiosOf(pairs, ({ deliveriesPerServerSecond }) => deliveriesPerServerSecond);
    const [own, other] = [pairs.map((pair) => pair.own), pairs.map((pair) => pair.other)].map((runs) => ({
      p50Ms: median(runs.map(({ p50Us }) => p50Us)) / 1_000,
      p99Ms: median(runs.map(({ p99Us }) => p99Us)) / 1_000,
      load: median(runs.map(({ serverLoad }) => serverLoad)),
      deliveriesPerSecond: median(runs.map(({ deliveriesPerSecond }) => deliveriesPerSecond)),
      sustained:
        median(runs.map(({ deliveriesPerSecond }) => deliveriesPerSecond)) /
        ((scenario.rate ?? 1) * scenario.members),
    }));
    if (own === undefined || other === undefined) throw new Error("nothing was measured");
    const stalls = pairs
      .flatMap((pair) => [pair.own, pair.other])
      .reduce((sum, one) => sum + one.stalls + one.closed, 0);
    const isMet =
      goal === undefined
        ? undefined
        : "atLeast" in goal
          ? ratio.median >= goal.atLeast
          : own.sustained > 0.99 && own.p99Ms < other.p99Ms;
    const said =
      goal === undefined
        ? ""
        : "atLeast" in goal
          ? `at least ${goal.atLeast}`
          : "sustained, p99 below the peer's";
    return { kind, ratio, own, other, stalls, goal: said, isMet };
  }
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

function amount(value: number): string {
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)} M` : `${Math.round(value / 1_000)} k`;
}
