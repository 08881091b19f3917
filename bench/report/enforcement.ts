import { type Static, Type } from "typebox";
import { median } from "../pairs.ts";
import { describe, Provenance } from "./kept.ts";
import { partOf } from "./part.ts";
import { type Column, table } from "./table.ts";

const Revocation = Type.Object({
  callMs: Type.Number(),
  /** From the answer to the last that was told, and to the last that had gone. */
  toldMs: Type.Number(),
  goneMs: Type.Number(),
  /** Messages that were sent after the answer and delivered to a connection of the key. */
  delivered: Type.Number(),
  p50Ms: Type.Number(),
  p99Ms: Type.Number(),
  cpuMs: Type.Optional(Type.Number()),
});
/** The median, and the interval that holds it in 95 of 100 resamples. */
const Difference = Type.Object({ median: Type.Number(), low: Type.Number(), high: Type.Number() });
const Windows = Type.Object({
  nothing: Type.Number(),
  created: Type.Number(),
  edited: Type.Number(),
  overCreated: Difference,
  overNothing: Difference,
});
const EditsAlone = Type.Object({ p50Ms: Type.Number(), p99Ms: Type.Number(), cpuMs: Type.Number() });

export const EnforcementFigures = Type.Object({
  /** By the number of connections, a row for each round. */
  revocations: Type.Record(
    Type.String(),
    Type.Object({ measured: Provenance, rounds: Type.Array(Revocation, { minItems: 1 }) }),
  ),
  edits: Type.Optional(
    Type.Object({
      measured: Provenance,
      connections: Type.Number(),
      rounds: Type.Number(),
      windows: Type.Record(Type.String(), Windows),
      withNone: EditsAlone,
      beside: EditsAlone,
    }),
  ),
});
export type EnforcementFigures = Static<typeof EnforcementFigures>;
export type Revocation = Static<typeof Revocation>;
export type Windows = Static<typeof Windows>;
export type Difference = Static<typeof Difference>;
export type EditsAlone = Static<typeof EditsAlone>;
export type Edits = NonNullable<EnforcementFigures["edits"]>;

const REVOCATION_COLUMNS: readonly Column[] = [
  "connections",
  "rounds",
  "API call ms",
  "last told ms",
  "last gone ms",
  "server CPU ms",
  "delivered",
  "others' p50 ms",
  "others' p99 ms",
].map((title) => ({ title, isFigure: true }));

export function revocationsText(revocations: EnforcementFigures["revocations"]): string {
  const sizes = Object.entries(revocations).toSorted(([a], [b]) => Number(a) - Number(b));
  const rows = sizes.map(([size, { rounds }]) => {
    const show = (name: keyof Revocation) => medianAndWorst(rounds.flatMap((round) => round[name] ?? []));
    const times = (["callMs", "toldMs", "goneMs", "cpuMs"] as const).map(show);
    const delivered = rounds.reduce((sum, round) => sum + round.delivered, 0);
    return [
      whole(Number(size)),
      String(rounds.length),
      ...times,
      String(delivered),
      show("p50Ms"),
      show("p99Ms"),
    ];
  });
  const whence = sizes.map(
    ([size, { measured }]) => `${whole(Number(size))}: measured on ${describe(measured)}.`,
  );
  return `${table(REVOCATION_COLUMNS, rows)}\n\nMedians, the worst in brackets. ${whence.join(" ")}`;
}

export function editsText({ measured, connections, rounds, windows, withNone, beside }: Edits): string {
  const windowTable = table(
    [
      { title: `of ${whole(connections)} connections` },
      ...["nothing", "keys created", "edits", "edits − created", "edits − nothing"].map((title) => ({
        title,
        isFigure: true,
      })),
    ],
    Object.entries(windows).map(([title, { nothing, created, edited, overCreated, overNothing }]) => [
      title,
      ...[nothing, created, edited].map(fine),
      ...[overCreated, overNothing].map(
        ({ median: middle, low, high }) => `${fine(middle)} (${fine(low)} to ${fine(high)})`,
      ),
    ]),
  );
  const aloneTable = table(
    [
      { title: "edits by themselves, beside" },
      ...["p50 ms", "p99 ms", "server CPU ms"].map((title) => ({ title, isFigure: true })),
    ],
    [
      ["no connection", withNone] as const,
      [`${whole(connections)} connections of another key`, beside] as const,
    ].map(([title, { p50Ms, p99Ms, cpuMs }]) => [
      title,
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      cpuMs.toFixed(2),
    ]),
  );
  return `${windowTable}\n\n${aloneTable}\n\n${rounds} rounds, measured on ${describe(measured)}.`;
}

export const enforcementPart = partOf(
  "enforcement",
  "npm run bench:enforcement -- --write",
  EnforcementFigures,
  ({ revocations, edits }) =>
    [revocationsText(revocations), ...(edits === undefined ? [] : [editsText(edits)])].join("\n\n"),
);

function medianAndWorst(values: readonly number[]): string {
  if (values.length === 0) return "";
  if (values.length === 1) return whole(median(values));
  return `${whole(median(values))} (${whole(Math.max(...values))})`;
}

function fine(value: number): string {
  return value.toFixed(Math.abs(value) >= 20 ? 0 : 2);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
