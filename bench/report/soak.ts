import { type Static, Type } from "typebox";
import { median } from "../pairs.ts";
import { describe, Provenance } from "./kept.ts";
import { partOf } from "./part.ts";
import { table } from "./table.ts";

const Footprint = Type.Object({
  /** After a collection of garbage. */
  heapMib: Type.Number(),
  rssMib: Type.Number(),
  sockets: Type.Number(),
  handles: Type.Number(),
});
export const SoakFigures = Type.Object({
  measured: Provenance,
  /** What the server was given to do. */
  work: Type.String(),
  trends: Type.Array(
    Type.Object({
      name: Type.String(),
      unit: Type.String(),
      first: Type.Number(),
      last: Type.Number(),
      perHour: Type.Number(),
      isFlat: Type.Boolean(),
    }),
  ),
  samples: Type.Array(
    Type.Object({
      minute: Type.Number(),
      load: Type.Number(),
      latencyP99Ms: Type.Number(),
      loudP99Ms: Type.Number(),
      deliveriesPerSecond: Type.Number(),
    }),
  ),
  before: Footprint,
  after: Footprint,
  /** How often each went wrong; empty when nothing did. */
  faults: Type.Record(Type.String(), Type.Number()),
});
export type SoakFigures = Static<typeof SoakFigures>;

export function soakText({ measured, work, trends, samples, before, after, faults }: SoakFigures): string {
  const rows = trends.map(({ name, unit, first, last, perHour, isFlat }) => [
    TITLES[name] ?? name,
    ...[first, last].map((value) => `${value.toFixed(1)} ${unit}`.trim()),
    perHour.toFixed(1),
    isFlat ? "yes" : "no",
  ]);
  const trendTable = table(
    [
      { title: "" },
      { title: "first quarter", isFigure: true },
      { title: "last quarter", isFigure: true },
      { title: "slope per hour", isFigure: true },
      { title: "flat" },
    ],
    rows,
  );
  const middle = (name: "load" | "latencyP99Ms" | "loudP99Ms" | "deliveriesPerSecond") =>
    median(samples.map((sample) => sample[name]));
  const both = (name: keyof typeof before, digits = 0) =>
    `${before[name].toFixed(digits)} and ${after[name].toFixed(digits)}`;
  const wrong = Object.entries(faults).map(([name, count]) => `${name}: ${count}`);
  return [
    `${work}.`,
    trendTable,
    `Medians of all intervals: ${Math.round(middle("deliveriesPerSecond")).toLocaleString("en")} deliveries a second with ` +
      `${(middle("load") * 100).toFixed(0)} % of a core; p99 ${middle("loudP99Ms").toFixed(1)} ms in the loud channel, ` +
      `${middle("latencyP99Ms").toFixed(1)} ms in the others. Before anyone came and after all had gone: heap ` +
      `${both("heapMib", 1)} MiB after a collection, RSS ${both("rssMib")} MiB, sockets ${both("sockets")}, handles ` +
      `${both("handles")}. Faults: ${wrong.length === 0 ? "none" : wrong.join("; ")}.`,
    `Measured on ${describe(measured)}.`,
  ].join("\n\n");
}

const TITLES: Readonly<Record<string, string>> = {
  rssMib: "resident memory",
  heapMib: "heap",
  externalMib: "memory outside the heap",
  sockets: "sockets",
  handles: "handles",
  delayP50Ms: "event-loop delay p50",
  delayP99Ms: "event-loop delay p99",
};

export const soakPart = partOf("soak", "npm run soak -- --write", SoakFigures, soakText);
