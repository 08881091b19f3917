/** What went wrong, by kind, with the first few of each in full; and what went well, counted. */
export class Ledger {
  readonly #counts = new Map<string, number>();
  readonly #faults = new Map<string, { count: number; examples: string[] }>();
  #latenciesMs: number[] = [];

  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  fault(kind: string, detail: unknown): void {
    const fault = this.#faults.get(kind) ?? { count: 0, examples: [] };
    fault.count += 1;
    if (fault.examples.length < 3) {
      fault.examples.push(`${new Date().toISOString()} ${detail instanceof Error ? detail.stack : detail}`);
    }
    this.#faults.set(kind, fault);
  }

  latency(ms: number): void {
    this.#latenciesMs.push(ms);
  }

  /** Everything so far; the latencies since the call before. */
  drain(): {
    counts: Record<string, number>;
    faults: Record<string, { count: number; examples: string[] }>;
    latenciesMs: number[];
  } {
    const latenciesMs = this.#latenciesMs;
    this.#latenciesMs = [];
    return {
      counts: Object.fromEntries(this.#counts),
      faults: Object.fromEntries(this.#faults),
      latenciesMs,
    };
  }
}
