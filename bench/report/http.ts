import { CASES, goalOf, HTTP_PEERS, type HttpCase, type HttpPeer } from "../http/cases.ts";
import { amount, type Comparison, goalText, ratioText, Comparisons as Schema } from "./comparison.ts";
import { describe, readKept } from "./kept.ts";
import type { Part } from "./part.ts";
import { ratioChart } from "./ratio-chart.ts";
import { type Column, table } from "./table.ts";

export const HTTP_COLUMNS: readonly Column[] = [
  { title: "against" },
  { title: "Sluice", isFigure: true },
  { title: "theirs", isFigure: true },
  { title: "ratio (least to most)" },
  { title: "pairs", isFigure: true },
  { title: "p99 ms", isFigure: true },
  { title: "theirs", isFigure: true },
  { title: "goal" },
];
const CHART = "docs/images/benchmarks-http.svg";

/** Where a comparison is kept. */
export function httpKey({ name }: HttpCase, kind: HttpPeer): string {
  return `${name}/${kind}`;
}

/** nginx gives one constant, so it has one case. */
export function peersOfCase({ name }: HttpCase): HttpPeer[] {
  const kinds: readonly HttpPeer[] = ["fastify", "fastify-by-hand", "express", "nginx"];
  return kinds.filter((kind) => kind !== "nginx" || name === "get");
}

export function httpRow(one: HttpCase, kind: HttpPeer, comparison: Comparison): string[] {
  const { own, other, ratios } = comparison;
  return [
    HTTP_PEERS[kind],
    amount(own?.value),
    amount(other?.value),
    ratioText(ratios),
    String(ratios.length),
    amount(own?.p99Ms),
    amount(other?.p99Ms),
    goalText(goalOf(kind, one), comparison),
  ];
}

/** A table for each case, and a chart of all ratios. */
export const httpPart: Part = {
  name: "http",
  command: "npm run bench:http -- --write",
  render() {
    const kept = readKept("http", Schema);
    if (kept === undefined) return undefined;
    const shown = CASES.map((one) => ({
      one,
      compared: peersOfCase(one).flatMap((kind) => {
        const comparison = kept[httpKey(one, kind)];
        return comparison === undefined ? [] : [{ kind, comparison }];
      }),
    })).filter(({ compared }) => compared.length > 0);
    const chart = ratioChart({
      title: "Endpoints: Sluice's calls per second of processor time, divided by a peer's",
      groups: shown.map(({ one, compared }) => ({
        title: one.title,
        bars: compared.map(({ kind, comparison }) => ({ name: HTTP_PEERS[kind], ratios: comparison.ratios })),
      })),
    });
    const sections = shown.map(({ one, compared }) => {
      const rows = compared.map(({ kind, comparison }) => httpRow(one, kind, comparison));
      const whence = [...new Set(compared.map(({ comparison }) => describe(comparison.measured)))];
      return `**${one.title}**\n\n${table(HTTP_COLUMNS, rows)}\n\nMeasured on ${whence.join("; ")}.`;
    });
    const image = `![${chart.summary}](${CHART.replace("docs/", "")})`;
    return { text: [image, ...sections].join("\n\n"), pictures: { [CHART]: chart.svg } };
  },
};
