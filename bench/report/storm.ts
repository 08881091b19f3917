import { type Static, Type } from "typebox";
import { median } from "../pairs.ts";
import { describe, Provenance } from "./kept.ts";
import { partOf } from "./part.ts";
import { table } from "./table.ts";

const Latency = Type.Object({ p50Ms: Type.Number(), p99Ms: Type.Number(), maxMs: Type.Number() });
const Storm = Type.Object({
  /** Until the last join was acknowledged. */
  seconds: Type.Number(),
  serverSeconds: Type.Number(),
  loopMaxMs: Type.Number(),
  /** Of messages in the channel that is joined, and in another one. */
  inside: Latency,
  outside: Latency,
  /** What a member was told of the others: joins, and numbers. */
  told: Type.Number(),
});
export type Storm = Static<typeof Storm>;
export const StormFigures = Type.Object({
  measured: Provenance,
  connections: Type.Number(),
  storms: Type.Array(Storm, { minItems: 1 }),
});

export function stormText({ measured, connections, storms }: Static<typeof StormFigures>): string {
  const both = (of: (storm: Storm) => number, digits = 0): string => {
    const values = storms.map(of);
    return `${median(values).toFixed(digits)} (${Math.max(...values).toFixed(digits)})`;
  };
  const latency = (name: "inside" | "outside") => [
    both((one) => one[name].p50Ms),
    both((one) => one[name].p99Ms),
    both((one) => one[name].maxMs),
  ];
  const figures = table(
    [
      { title: "" },
      { title: "p50 ms", isFigure: true },
      { title: "p99 ms", isFigure: true },
      { title: "slowest ms", isFigure: true },
    ],
    [
      ["a message in the channel that they join", ...latency("inside")],
      ["a message in another channel", ...latency("outside")],
    ],
  );
  return [
    `${connections.toLocaleString("en")} had connected and joined after ${both((one) => one.seconds, 1)} s, with ` +
      `${both((one) => one.serverSeconds, 1)} s of processor time and an event-loop delay of at most ` +
      `${both((one) => one.loopMaxMs)} ms; a member was told ${both((one) => one.told)} times of who came.`,
    figures,
    `Medians of ${storms.length} rounds, the worst in brackets. Measured on ${describe(measured)}.`,
  ].join("\n\n");
}

export const stormPart = partOf("storm", "npm run bench:storm -- 3 --write", StormFigures, stormText);
