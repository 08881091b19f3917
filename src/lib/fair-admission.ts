import { FairBudget } from "./fair-budget.ts";

/** Whom one place is counted with: its API key, and the addresses that it comes from. */
export type Occupant = { readonly owner: string; readonly addressGroup: string };

/** What those below their fair shares may take when it is full, as shares of `max`. */
const RESERVE_OF_ADDRESSES = 1 / 4;
const RESERVE_OF_OWNERS = 1 / 2;

/**
 * A bound on places that nobody is put out of again: who comes late is refused, never who is in. Up to `max` everybody gets
 * in. Beyond it there is a reserve, for owners (API keys) that hold less than their fair share of `max`, and a smaller one for
 * addresses that do, so that neither a key nor, within one key, an address that takes everything shuts the others out. Nobody may hold
 * more than what is left of the reserve: it is never used up by one of them.
 */
export class FairAdmission {
  readonly #max: number;
  readonly #byOwner: FairBudget;
  readonly #byAddress: FairBudget;

  constructor(max: number) {
    this.#max = max;
    this.#byOwner = new FairBudget(max);
    this.#byAddress = new FairBudget(max);
  }

  /** Places that are taken: at most one and a half times `max`. */
  get total(): number {
    return this.#byOwner.total;
  }

  /** Whether there is a place for one more of this occupant. */
  admits({ owner, addressGroup }: Occupant): boolean {
    if (this.total < this.#max) return true;
    return (
      this.#isBelow(this.#byOwner, owner, RESERVE_OF_OWNERS) ||
      this.#isBelow(this.#byAddress, addressGroup, RESERVE_OF_ADDRESSES)
    );
  }

  add({ owner, addressGroup }: Occupant, places = 1): void {
    this.#byOwner.charge(owner, places);
    this.#byAddress.charge(addressGroup, places);
  }

  remove({ owner, addressGroup }: Occupant, places = 1): void {
    this.#byOwner.discharge(owner, places);
    this.#byAddress.discharge(addressGroup, places);
  }

  #isBelow(budget: FairBudget, name: string, reserve: number): boolean {
    const held = budget.amountOf(name);
    const share = this.#max / (held === 0 ? budget.size + 1 : budget.size);
    const left = this.#max * (1 + reserve) - this.total;
    return held < share && held < left;
  }
}
