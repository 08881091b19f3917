import { inPairs, median, ratioOf } from "./pairs.ts";
import { within } from "./processes.ts";

/** A figure of ours and of a peer, and how far they may be apart. */
export type Check = {
  readonly name: string;
  /** What our figure divided by the peer's may be. */
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
  readonly own: () => Promise<number>;
  readonly other: () => Promise<number>;
};

export type Effort = {
  readonly pairs: number;
  /** What is measured anew when the first pairs miss the bound. */
  readonly pairsAgain: number;
  /** Longest time of one of the two measurements of a pair. */
  readonly limitMs: number;
};

export type Attempt = { readonly ratios: readonly number[]; readonly isWithin: boolean };

/**
 * Measure until the median of some pairs is within the bound, at most twice: what else the machine does must not
 * decide. The last attempt is the verdict. @throws when a measurement fails or takes too long
 */
export async function judge({ name, bound, own, other }: Check, effort: Effort): Promise<Attempt[]> {
  const timed = (measure: () => Promise<number>) => () => within(effort.limitMs, name, measure());
  const attempts: Attempt[] = [];
  for (const count of [effort.pairs, effort.pairsAgain]) {
    const ratios = (await inPairs(count, timed(own), timed(other))).map((pair) =>
      ratioOf(pair, (one) => one),
    );
    const middle = median(ratios);
    const isWithin = "atLeast" in bound ? middle >= bound.atLeast : middle <= bound.atMost;
    attempts.push({ ratios, isWithin });
    if (isWithin) break;
  }
  return attempts;
}

/** One line that says what was seen, and what should have been. */
export function verdictOf({ name, bound }: Check, attempts: readonly Attempt[]): string {
  const seen = attempts
    .map(({ ratios }) => {
      const each = ratios.map((ratio) => ratio.toFixed(2)).join(", ");
      return `${median(ratios).toFixed(2)} (${each})`;
    })
    .join(", then ");
  const wanted = "atLeast" in bound ? `at least ${bound.atLeast}` : `at most ${bound.atMost}`;
  const isWithin = attempts.at(-1)?.isWithin === true;
  return `${isWithin ? "ok" : "WORSE THAN IT WAS"}: ${name}: ${seen} times Socket.IO's; ${wanted}`;
}
