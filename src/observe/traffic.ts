/** What this node has done since its start. Whoever does it adds to it, on the hot path; whoever shows it samples it. */
export class Traffic {
  /** Connections that came through the gate, and those that ended. */
  connected = 0;
  disconnected = 0;
  /** Messages that were handed to the broker here. */
  published = 0;
  /** Messages times the members on this node that each was sent to. */
  delivered = 0;
  denied = 0;
  /** By endpoint id, as many as are declared. */
  readonly endpoints = new Map<string, EndpointCalls>();

  /** The counts of a declared endpoint. */
  endpoint(id: string): EndpointCalls {
    const known = this.endpoints.get(id);
    if (known !== undefined) return known;
    const calls = { calls: 0, denied: 0 };
    this.endpoints.set(id, calls);
    return calls;
  }
}

export type EndpointCalls = { calls: number; denied: number };
