export type TransportName = "websocket" | "polling";

/** What worked, by server: as many as a page talks to, for as long as it is open. */
const firstByServer = new Map<string, TransportName>();

/**
 * In which order the transports of one server are tried. A WebSocket may neither open nor fail (a proxy that leaves the upgrade
 * unanswered): then the next try begins with the other one, and what worked first is remembered for the page.
 */
export class TransportOrder {
  readonly #server: string;
  readonly #configured: readonly TransportName[];
  #first: TransportName | undefined;

  constructor(server: string, configured: readonly TransportName[]) {
    this.#server = server;
    this.#configured = configured;
    this.#first = firstByServer.get(server);
  }

  get current(): TransportName[] {
    const first = this.#first;
    if (first === undefined || !this.#configured.includes(first)) return [...this.#configured];
    return [first, ...this.#configured.filter((name) => name !== first)];
  }

  get hasOther(): boolean {
    return this.#configured.length > 1;
  }

  /** The first one did not answer in time. */
  turn(): void {
    this.#first = this.current[1] ?? this.#first;
  }

  /** The connection is there, over this one. */
  worked(name: TransportName): void {
    this.#first = name;
    firstByServer.set(this.#server, name);
  }
}
