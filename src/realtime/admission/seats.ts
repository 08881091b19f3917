import { type Refusal, refuse } from "../../protocol/index.ts";

/** How many connections one node holds at most; 0: no limit. */
export type SeatLimits = {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxConnectionsPerKey: number;
};

/** A connection's place among those of the node, of its address and of its key, from `take` to its first `release`. */
export class Seat {
  readonly group: string;
  readonly keyId: string | null;
  #leave: ((seat: Seat) => void) | undefined;

  /** `leave` is called once. */
  constructor(group: string, keyId: string | null, leave: (seat: Seat) => void) {
    this.group = group;
    this.keyId = keyId;
    this.#leave = leave;
  }

  get isTaken(): boolean {
    return this.#leave !== undefined;
  }

  release(): void {
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.(this);
  }
}

/** Seats come free when somebody goes: nobody knows when, so this keeps those who wait from asking all the time. */
const RETRY_MS = 5_000;

/** Counts connections. Looks and takes in one turn, so that no two take the last place. Owns a count per address and key. */
export class Seats {
  readonly #limits: SeatLimits;
  readonly #byGroup = new Map<string, number>();
  readonly #byKey = new Map<string, number>();
  #count = 0;
  /** One for all seats. */
  readonly #leave = ({ group, keyId }: Seat): void => this.#add(group, keyId, -1);

  constructor(limits: SeatLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * A seat, or why there is none. `instead` is the seat of a connection that this one is going to end: a client that comes back
   * is not kept out by what lingers of itself.
   */
  take(group: string, keyId: string | null, instead?: Seat): Seat | Refusal {
    const own = instead?.isTaken === true ? instead : undefined;
    const { maxConnections, maxConnectionsPerAddress, maxConnectionsPerKey } = this.#limits;
    if (isFull(this.#count, maxConnections, own !== undefined)) {
      return refuse("too_many_connections", undefined, RETRY_MS);
    }
    if (isFull(this.#byGroup.get(group), maxConnectionsPerAddress, own?.group === group)) {
      return refuse("too_many_connections_per_address", undefined, RETRY_MS);
    }
    if (keyId !== null && isFull(this.#byKey.get(keyId), maxConnectionsPerKey, own?.keyId === keyId)) {
      return refuse("too_many_connections_per_key", undefined, RETRY_MS);
    }
    this.#add(group, keyId, 1);
    return new Seat(group, keyId, this.#leave);
  }

  #add(group: string, keyId: string | null, by: 1 | -1): void {
    this.#count += by;
    addTo(this.#byGroup, group, by);
    if (keyId !== null) addTo(this.#byKey, keyId, by);
  }
}

function isFull(count: number | undefined, max: number, hasOwn: boolean): boolean {
  return max > 0 && (count ?? 0) - (hasOwn ? 1 : 0) >= max;
}

function addTo(counts: Map<string, number>, name: string, by: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
