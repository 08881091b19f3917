import { amount, type Comparison, Comparisons, type Goal, goalText, ratioText } from "./comparison.ts";
import { describe } from "./kept.ts";
import { partOf } from "./part.ts";
import { type Column, table } from "./table.ts";

/** What is compared, by where it is kept. */
export type Quantities = Readonly<Record<string, { readonly title: string; readonly goal?: Goal }>>;

const COLUMNS: readonly Column[] = [
  { title: "" },
  { title: "Sluice", isFigure: true },
  { title: "Socket.IO", isFigure: true },
  { title: "ratio (least to most)" },
  { title: "pairs", isFigure: true },
  { title: "goal" },
];

export const MEMORY_QUANTITIES: Quantities = {
  idle: { title: "KiB of resident memory per idle connection", goal: { atMost: 1.1 } },
};
export const CONNECT_QUANTITIES: Quantities = {
  cpu: { title: "connections per second of the server's CPU", goal: { atLeast: 0.9 } },
  clock: { title: "connections per second" },
};

/** Rows for what was measured, and whence it is. */
export function quantityTable(quantities: Quantities, kept: Readonly<Record<string, Comparison>>): string {
  const compared = Object.entries(quantities).flatMap(([key, { title, goal }]) => {
    const comparison = kept[key];
    return comparison === undefined ? [] : [{ title, goal, comparison }];
  });
  const rows = compared.map(({ title, goal, comparison }) => [
    title,
    amount(comparison.own?.value),
    amount(comparison.other?.value),
    ratioText(comparison.ratios),
    String(comparison.ratios.length),
    goalText(goal, comparison),
  ]);
  const whence = [...new Set(compared.map(({ comparison }) => describe(comparison.measured)))];
  return `${table(COLUMNS, rows)}\n\nMeasured on ${whence.join("; ")}.`;
}

const of = (name: string, quantities: Quantities) =>
  partOf(name, `npm run bench:${name} -- 3 --write`, Comparisons, (kept) => quantityTable(quantities, kept));
export const memoryPart = of("memory", MEMORY_QUANTITIES);
export const connectPart = of("connect", CONNECT_QUANTITIES);
