import { PEERS, type PeerKind } from "../peers/peer.ts";
import { SCENARIOS, type Scenario } from "../scenarios.ts";
import {
  amount,
  type Comparison,
  type Comparisons,
  goalText,
  ratioText,
  Comparisons as Schema,
} from "./comparison.ts";
import { describe, readKept } from "./kept.ts";
import type { Part } from "./part.ts";
import { type Bar, ratioChart } from "./ratio-chart.ts";
import { type Column, table } from "./table.ts";

export const FAN_OUT_COLUMNS: readonly Column[] = [
  { title: "against" },
  { title: "Sluice", isFigure: true },
  { title: "theirs", isFigure: true },
  { title: "ratio (least to most)" },
  { title: "pairs", isFigure: true },
  { title: "p99 ms", isFigure: true },
  { title: "theirs", isFigure: true },
  { title: "goal" },
];
const CHART = "docs/images/benchmarks-fanout.svg";

/** Where a comparison is kept. */
export function fanOutKey(scenario: Scenario, kind: PeerKind): string {
  return `${scenario.name}/${kind}`;
}

export function fanOutRow(scenario: Scenario, kind: PeerKind, comparison: Comparison): string[] {
  const { own, other, ratios } = comparison;
  return [
    PEERS[kind],
    amount(own?.value),
    amount(other?.value),
    ratioText(ratios),
    String(ratios.length),
    amount(own?.p99Ms),
    amount(other?.p99Ms),
    goalText(scenario.peers[kind], comparison),
  ];
}

/** A table for each scenario, and a chart of all ratios. */
export const fanOutPart: Part = {
  name: "fanout",
  command: "npm run bench:fanout -- 3 --write",
  render() {
    const kept = readKept("fanout", Schema);
    if (kept === undefined) return undefined;
    const shown = SCENARIOS.map((scenario) => ({ scenario, compared: comparedIn(scenario, kept) })).filter(
      ({ compared }) => compared.length > 0,
    );
    const bars = shown.map(({ scenario, compared }) => ({
      title: scenario.title,
      bars: compared.map(({ kind, comparison }): Bar => ({ name: PEERS[kind], ratios: comparison.ratios })),
    }));
    const chart = ratioChart({
      title: "Fan-out: Sluice's deliveries per second of processor time, divided by a peer's",
      groups: bars,
    });
    const sections = shown.map(({ scenario, compared }) => {
      const rows = compared.map(({ kind, comparison }) => fanOutRow(scenario, kind, comparison));
      const command = `npm run bench:fanout -- 3 ${scenario.name} --write`;
      const whence = provenances(compared.map(({ kind, comparison }) => [PEERS[kind], comparison]));
      return `**${scenario.title}** (\`${command}\`)\n\n${table(FAN_OUT_COLUMNS, rows)}\n\n${whence}`;
    });
    const image = `![${chart.summary}](${CHART.replace("docs/", "")})`;
    return { text: [image, ...sections].join("\n\n"), pictures: { [CHART]: chart.svg } };
  },
};

function comparedIn(scenario: Scenario, kept: Comparisons) {
  return peersOf(scenario).flatMap((kind) => {
    const comparison = kept[fanOutKey(scenario, kind)];
    return comparison === undefined ? [] : [{ kind, comparison }];
  });
}

/** In the order of the list of peers. */
export function peersOf(scenario: Scenario): PeerKind[] {
  const kinds: readonly PeerKind[] = ["sluice-bare", "socket.io", "ws", "uws", "nchan", "nats"];
  return kinds.filter((kind) => kind in scenario.peers);
}

/** When and where each was measured; those of one run together. */
function provenances(compared: readonly (readonly [string, Comparison])[]): string {
  const names = new Map<string, string[]>();
  for (const [name, { measured }] of compared) {
    const text = describe(measured);
    names.set(text, [...(names.get(text) ?? []), name]);
  }
  const all = [...names];
  if (all.length === 1) return `Measured on ${all[0]?.[0]}.`;
  return all.map(([text, peers]) => `${peers.join(", ")}: measured on ${text}.`).join(" ");
}
