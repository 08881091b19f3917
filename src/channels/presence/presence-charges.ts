import { TokenBucket, type TokenRate } from "../../lib/token-bucket.ts";
import type { Resident } from "../local/resident.ts";

/** Joining many channels at once is what a page does when it opens: so many seconds' worth may come together. */
const BURST_SECONDS = 10;

/**
 * Charges each connection for what others are told because of it: the members of a channel that it joins or leaves, those of all
 * its channels for an update, and one for a channel where nobody is told of each. One change is never refused for its size: it may
 * bring a connection into debt, at most by a burst, and it may neither join nor update until that is paid.
 */
export class PresenceCharges {
  readonly #rate: TokenRate | undefined;
  readonly #deliveriesOf: (channel: string) => number;

  /** `perSecond` 0: nothing is charged. */
  constructor(perSecond: number, deliveriesOf: (channel: string) => number) {
    this.#rate = perSecond === 0 ? undefined : { capacity: perSecond * BURST_SECONDS, perSecond };
    this.#deliveriesOf = deliveriesOf;
  }

  /** The connection's presence changes in these channels. */
  charge(resident: Resident, channels: readonly string[]): void {
    const rate = this.#rate;
    if (rate === undefined) return;
    let deliveries = 0;
    for (const channel of channels) deliveries += Math.max(1, this.#deliveriesOf(channel));
    const nowMs = performance.now();
    resident.presenceBucket ??= new TokenBucket(rate, nowMs);
    resident.presenceBucket.take(Math.min(deliveries, rate.capacity), rate, nowMs);
  }

  /** The milliseconds until the connection owes nothing. */
  debtMs({ presenceBucket }: Resident): number {
    if (this.#rate === undefined || presenceBucket === undefined) return 0;
    return presenceBucket.take(0, this.#rate, performance.now());
  }
}
