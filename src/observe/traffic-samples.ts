import type { Traffic } from "./traffic.ts";

/** What is there at an instant, asked when a sample is taken: must be quick. */
export type Gauges = {
  readonly connections: number;
  readonly channels: number;
  readonly memberships: number;
  readonly rssBytes: number;
  /** How the node protects itself, and which resources are short. */
  readonly overloadStage: number;
  readonly overloadCauses: readonly string[];
};

/** One second of a node's life. */
export type Sample = Gauges & {
  readonly at: string;
  readonly connectsPerSecond: number;
  readonly closesPerSecond: number;
  readonly publishedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly deniedPerSecond: number;
  /** By how much the event loop was late when the sample was due. */
  readonly loopDelayMs: number;
};

type Counts = Pick<Traffic, "connected" | "disconnected" | "published" | "delivered" | "denied">;

const PERIOD_MS = 1_000;
const MAX_SAMPLES = 300;

/** The last five minutes, a sample a second: a few numbers each, taken whether anybody looks or not. */
export class TrafficSamples {
  readonly #traffic: Traffic;
  readonly #gauges: () => Gauges;
  readonly #now: () => number;
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<(sample: Sample) => void>();
  #atMs: number;
  #counts: Counts;

  constructor(traffic: Traffic, gauges: () => Gauges, now: () => number = Date.now) {
    this.#traffic = traffic;
    this.#gauges = gauges;
    this.#now = now;
    this.#atMs = now();
    this.#counts = countsOf(traffic);
    this.#timer = setInterval(() => this.take(), PERIOD_MS);
    this.#timer.unref();
  }

  /** Oldest first. */
  get all(): readonly Sample[] {
    return this.#samples;
  }

  /** What is there now, at the rates of the last sample. */
  now(): Sample {
    const at = new Date(this.#now()).toISOString();
    return { ...(this.#samples.at(-1) ?? this.#measure(this.#atMs)), at, ...this.#gauges() };
  }

  /** @returns ends it */
  onSample(listener: (sample: Sample) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  take(): void {
    const atMs = this.#now();
    const sample = this.#measure(atMs);
    this.#atMs = atMs;
    this.#counts = countsOf(this.#traffic);
    this.#samples.push(sample);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    for (const listener of this.#listeners) listener(sample);
  }

  #measure(atMs: number): Sample {
    const elapsedMs = Math.max(1, atMs - this.#atMs);
    const counts = countsOf(this.#traffic);
    const before = this.#counts;
    const perSecond = (name: keyof Counts): number =>
      Math.round(((counts[name] - before[name]) * 1_000) / elapsedMs);
    return {
      at: new Date(atMs).toISOString(),
      ...this.#gauges(),
      connectsPerSecond: perSecond("connected"),
      closesPerSecond: perSecond("disconnected"),
      publishedPerSecond: perSecond("published"),
      deliveredPerSecond: perSecond("delivered"),
      deniedPerSecond: perSecond("denied"),
      loopDelayMs: Math.max(0, elapsedMs - PERIOD_MS),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }
}

function countsOf({ connected, disconnected, published, delivered, denied }: Traffic): Counts {
  return { connected, disconnected, published, delivered, denied };
}
