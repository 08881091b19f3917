/** Upper bounds of the buckets in seconds: from what a decision takes to what a slow endpoint takes. */
export const LATENCY_BOUNDS_SECONDS: readonly number[] = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
  0.5, 1, 2.5, 5, 10,
];
const BOUNDS_MS = LATENCY_BOUNDS_SECONDS.map((seconds) => seconds * 1_000);

/** How long something took, as counts by bucket: a few comparisons and two additions for each observation. */
export class LatencyHistogram {
  /** By bucket, the last beyond all bounds; not cumulative. */
  readonly counts: number[] = Array<number>(BOUNDS_MS.length + 1).fill(0);
  sumMs = 0;

  observe(ms: number): void {
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && ms > (BOUNDS_MS[bucket] ?? 0)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sumMs += ms;
  }
}
