import { percentile } from "../crowd/child.ts";

/** What was seen in one interval of a soak. */
export type Sample = {
  readonly minute: number;
  readonly rssMib: number;
  readonly heapMib: number;
  readonly externalMib: number;
  readonly sockets: number;
  readonly handles: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly load: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly loudP50Ms: number;
  readonly loudP99Ms: number;
  readonly deliveriesPerSecond: number;
  readonly faults: number;
};

type Measure = {
  readonly name: keyof Sample;
  readonly unit: string;
  /** The last quarter's median may be above the first's by this share and this much. */
  readonly share: number;
  readonly slack: number;
};

const MEASURES: readonly Measure[] = [
  { name: "rssMib", unit: "MiB", share: 0.1, slack: 10 },
  { name: "heapMib", unit: "MiB", share: 0.1, slack: 5 },
  { name: "externalMib", unit: "MiB", share: 0.1, slack: 5 },
  { name: "sockets", unit: "", share: 0.03, slack: 10 },
  { name: "handles", unit: "", share: 0.03, slack: 10 },
  { name: "delayP50Ms", unit: "ms", share: 0.25, slack: 1 },
  { name: "delayP99Ms", unit: "ms", share: 0.25, slack: 5 },
];

export type Trend = {
  readonly name: string;
  readonly unit: string;
  readonly first: number;
  readonly last: number;
  readonly perHour: number;
  readonly isFlat: boolean;
};

/** The medians of the first and the last quarter, the slope of all, and whether that counts as flat. */
export function trendsOf(samples: readonly Sample[]): Trend[] {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  return MEASURES.map(({ name, unit, share, slack }) => {
    const values = samples.map((sample) => sample[name]);
    const first = percentile(values.slice(0, quarter), 0.5);
    const last = percentile(values.slice(-quarter), 0.5);
    const perHour = slopeOf(
      samples.map(({ minute }) => minute / 60),
      values,
    );
    return { name, unit, first, last, perHour, isFlat: last <= first * (1 + share) + slack };
  });
}

/** By least squares. */
function slopeOf(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  let [above, below] = [0, 0];
  xs.forEach((x, index) => {
    above += (x - meanX) * ((ys[index] ?? 0) - meanY);
    below += (x - meanX) ** 2;
  });
  return below === 0 ? 0 : above / below;
}
