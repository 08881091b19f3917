import { type Static, Type } from "typebox";
import { median, type Pair, ratioOf } from "../pairs.ts";
import { Provenance } from "./kept.ts";

const Figures = Type.Object({
  /** What is compared. */
  value: Type.Number(),
  p50Ms: Type.Optional(Type.Number()),
  p99Ms: Type.Optional(Type.Number()),
  /** With a rate: which part of what was scheduled arrived. */
  sustained: Type.Optional(Type.Number()),
});
export type Figures = Static<typeof Figures>;

/** Ours and another's, measured in pairs: the ratio of each, and the medians of both. */
export const Comparison = Type.Object({
  measured: Provenance,
  ratios: Type.Array(Type.Number(), { minItems: 1 }),
  own: Type.Optional(Figures),
  other: Type.Optional(Figures),
});
export type Comparison = Static<typeof Comparison>;

/** By what is compared. */
export const Comparisons = Type.Record(Type.String(), Comparison);
export type Comparisons = Static<typeof Comparisons>;

/** What a comparison is to show. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number } | { readonly lowerP99: true };

/** `figuresOf`: the figures of one measurement, of which medians are taken one by one. */
export function compare<T>(
  measured: Provenance,
  pairs: readonly Pair<T>[],
  figuresOf: (one: T) => Figures,
): Comparison {
  const middle = (side: "own" | "other"): Figures => {
    const all = pairs.map((pair) => figuresOf(pair[side]));
    const of = (name: keyof Figures) => all.flatMap((figures) => figures[name] ?? []);
    const value = median(of("value"));
    const rest = (["p50Ms", "p99Ms", "sustained"] as const)
      .filter((name) => of(name).length > 0)
      .map((name) => [name, median(of(name))]);
    return { value, ...Object.fromEntries(rest) };
  };
  return {
    measured,
    ratios: pairs.map((pair) => ratioOf(pair, (one) => figuresOf(one).value)),
    own: middle("own"),
    other: middle("other"),
  };
}

/** `2.00 (1.48 to 2.01)`: the median of the ratios, the least and the greatest. */
export function ratioText(ratios: readonly number[]): string {
  const text = (ratio: number) => ratio.toFixed(ratio < 10 ? 2 : 1);
  if (ratios.length === 1) return text(median(ratios));
  return `${text(median(ratios))} (${text(Math.min(...ratios))} to ${text(Math.max(...ratios))})`;
}

/** What was wanted and whether it is so; empty without a goal. */
export function goalText(goal: Goal | undefined, { ratios, own, other }: Comparison): string {
  if (goal === undefined) return "";
  const said = (wanted: string, isMet: boolean) => `${wanted}: ${isMet ? "met" : "missed"}`;
  if ("atLeast" in goal) return said(`at least ${goal.atLeast}`, median(ratios) >= goal.atLeast);
  if ("atMost" in goal) return said(`at most ${goal.atMost}`, median(ratios) <= goal.atMost);
  const isSustained = (own?.sustained ?? 0) > 0.99;
  return said("sustained, p99 below theirs", isSustained && (own?.p99Ms ?? Infinity) < (other?.p99Ms ?? 0));
}

/** `3.56 M`, `694 k`, `14.6`; empty for what was not kept. */
export function amount(value: number | undefined): string {
  if (value === undefined) return "";
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 1e4) return `${Math.round(value / 1_000)} k`;
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}
