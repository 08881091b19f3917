import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { LATENCY_BOUNDS_SECONDS, type LatencyHistogram } from "./latency-histogram.ts";
import { faultOf, type Logger } from "./log.ts";
import { type Labeled, METRIC_ROWS, type MetricRow, type MetricsSources } from "./metric-rows.ts";

export { type Budget, METRIC_ROWS, type MetricsSources, type ProcessFigures } from "./metric-rows.ts";

/**
 * A node's metrics in the text form of Prometheus. Nothing is counted here: figures are read from their sources when a collector
 * asks. A figure that cannot be read keeps its last value, so that a node without descriptors or memory still answers.
 *
 * prom-client's own default metrics are not used: they read files, which fails under EMFILE, and open a monitor of the event loop
 * and an observer of collections that nothing closes.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #sources: MetricsSources;
  readonly #log: Logger;
  readonly #failed = new Set<string>();
  #text: Promise<string> | undefined;

  constructor(sources: MetricsSources, log: Logger) {
    this.#sources = sources;
    this.#log = log;
    for (const row of METRIC_ROWS) this.#register(row);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Collectors that ask at the same time get the same text. */
  text(): Promise<string> {
    this.#text ??= this.#registry.metrics().finally(() => {
      this.#text = undefined;
    });
    return this.#text;
  }

  #register(row: MetricRow): void {
    const { name, help, label } = row;
    const base = { name, help, labelNames: label === undefined ? [] : [label], registers: [this.#registry] };
    const labelsOf = (value: string | undefined): Record<string, string> =>
      label === undefined || value === undefined ? {} : { [label]: value };
    if (row.type === "histogram") {
      const read = (): Labeled<LatencyHistogram> => this.#read(name, () => row.read(this.#sources));
      new CountedHistogram(base, () => read().map(([value, counts]) => [labelsOf(value), counts] as const));
      return;
    }
    const read = (): Labeled<number> => this.#read(name, () => row.read(this.#sources));
    if (row.type === "gauge") {
      new Gauge({
        ...base,
        collect() {
          const figures = read();
          if (figures.length > 0) this.reset();
          for (const [value, figure] of figures) this.set(labelsOf(value), figure);
        },
      });
    } else {
      new Counter({
        ...base,
        collect() {
          const figures = read();
          if (figures.length > 0) this.reset();
          for (const [value, figure] of figures) this.inc(labelsOf(value), figure);
        },
      });
    }
  }

  /** What cannot be read keeps its last value, and is said once. */
  #read<T>(name: string, read: () => Labeled<T>): Labeled<T> {
    try {
      return read();
    } catch (error) {
      if (!this.#failed.has(name))
        this.#log.warn({ metric: name, fault: faultOf(error) }, "a metric cannot be read");
      this.#failed.add(name);
      return [];
    }
  }
}

type Base = {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
};
type HistogramReader = () => readonly (readonly [labels: Record<string, string>, counts: LatencyHistogram])[];
type Values = Awaited<ReturnType<Histogram["get"]>>["values"];

/** A histogram of prom-client whose counts are kept elsewhere. */
class CountedHistogram extends Histogram {
  /** Says what a histogram says beside its values. */
  readonly #empty: Histogram;
  readonly #read: HistogramReader;

  constructor(base: Base, read: HistogramReader) {
    super({ ...base, buckets: [...LATENCY_BOUNDS_SECONDS] });
    this.#empty = new Histogram({ ...base, registers: [] });
    this.#read = read;
  }

  override async get(): ReturnType<Histogram["get"]> {
    const about = await this.#empty.get();
    const values = this.#read().flatMap(([labels, counts]) => valuesOf(about.name, labels, counts));
    return { ...about, values };
  }

  /** What the registry asks for instead of {@link get}. */
  getForPromString(): ReturnType<Histogram["get"]> {
    return this.get();
  }
}

/** Cumulative buckets, sum and count, in seconds. */
function valuesOf(name: string, labels: Record<string, string>, { counts, sumMs }: LatencyHistogram): Values {
  const values: Values = [];
  let total = 0;
  for (const [bucket, count] of counts.entries()) {
    total += count;
    const le = LATENCY_BOUNDS_SECONDS[bucket] ?? "+Inf";
    values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: total });
  }
  values.push({ metricName: `${name}_sum`, labels, value: sumMs / 1_000 });
  values.push({ metricName: `${name}_count`, labels, value: total });
  return values;
}
