import { LatencyHistogram } from "./latency-histogram.ts";

/** What this node has done since its start. Whoever does it adds to it, on the hot path; whoever shows it samples it. */
export class Traffic {
  /** Connections that came through the gate, and those that ended. */
  connected = 0;
  disconnected = 0;
  /** Messages that were handed to the broker here. */
  published = 0;
  /** Messages times the members on this node that each was sent to. */
  delivered = 0;
  /** The gate's decisions: all that allowed, and those that denied. */
  allowed = 0;
  denied = 0;
  /** By code, as many as the error table has. */
  readonly deniedByCode = new Map<string, number>();
  /** Clients that were cut off because they did not read. */
  slowConsumers = 0;
  /** Gaps that clients were told of. */
  gaps = 0;
  /** From the question to the gate to its answer, for everything that a key's usage counts. */
  readonly decisionTime = new LatencyHistogram();
  /** From a publish's arrival until the broker has it. */
  readonly publishTime = new LatencyHistogram();
  /** By endpoint id, as many as are declared. */
  readonly endpoints = new Map<string, EndpointCalls>();

  /** The counts of a declared endpoint. */
  endpoint(id: string): EndpointCalls {
    const known = this.endpoints.get(id);
    if (known !== undefined) return known;
    const calls = { calls: 0, denied: 0, time: new LatencyHistogram() };
    this.endpoints.set(id, calls);
    return calls;
  }

  /** A request was refused with a code of the error table. */
  deny(code: string): void {
    this.denied += 1;
    this.deniedByCode.set(code, (this.deniedByCode.get(code) ?? 0) + 1);
  }
}

/** `time`: what the handler took. */
export type EndpointCalls = { calls: number; denied: number; readonly time: LatencyHistogram };
