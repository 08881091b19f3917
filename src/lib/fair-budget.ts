/** What one owner (an API key, an address group) holds of a {@link FairBudget}. Kept by the budget while `amount` is above 0. */
export type Account = {
  readonly name: string;
  readonly amount: number;
};

type Held = { readonly name: string; amount: number; index: number };

/**
 * One budget that many owners share. Nobody is given a part of it in advance: everybody may fill it while there is room, and when
 * it is exceeded, whoever holds most has to give way. An owner that holds less than its fair share (`max` divided by the number
 * of owners) is never the one that holds most of a budget that is exceeded, so it loses nothing.
 *
 * Owns one account for each owner that holds anything, in a binary max-heap with positions: `charge` and `discharge` cost
 * O(log owners) at worst and one comparison as a rule, `largest` costs nothing.
 */
export class FairBudget {
  readonly #accounts = new Map<string, Held>();
  /** Max-heap by amount; each account knows its place in it. */
  readonly #heap: Held[] = [];
  #total = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get total(): number {
    return this.#total;
  }

  get max(): number {
    return this.#max;
  }

  /** How many owners hold something. */
  get size(): number {
    return this.#accounts.size;
  }

  get isExceeded(): boolean {
    return this.#total > this.#max;
  }

  /** What every owner of now may hold without ever having to give way. */
  get fairShare(): number {
    return this.#max / Math.max(1, this.#accounts.size);
  }

  /** The account of whoever holds most: the one to take from while {@link isExceeded}. */
  get largest(): Account | undefined {
    return this.#heap[0];
  }

  amountOf(name: string): number {
    return this.#accounts.get(name)?.amount ?? 0;
  }

  charge(name: string, amount: number): void {
    if (amount <= 0) return;
    this.#total += amount;
    let held = this.#accounts.get(name);
    if (held === undefined) {
      held = { name, amount: 0, index: this.#heap.length };
      this.#accounts.set(name, held);
      this.#heap.push(held);
    }
    held.amount += amount;
    this.#moveUp(held);
  }

  /** Gives back at most what the owner holds. */
  discharge(name: string, amount: number): void {
    const held = this.#accounts.get(name);
    if (held === undefined || amount <= 0) return;
    const given = Math.min(amount, held.amount);
    this.#total -= given;
    held.amount -= given;
    if (held.amount > 0) this.#moveDown(held);
    else this.#remove(held);
  }

  clear(): void {
    this.#accounts.clear();
    this.#heap.length = 0;
    this.#total = 0;
  }

  #remove(held: Held): void {
    this.#accounts.delete(held.name);
    const last = this.#heap.pop();
    if (last === undefined || last === held) return;
    last.index = held.index;
    this.#heap[held.index] = last;
    this.#moveUp(last);
    this.#moveDown(last);
  }

  #moveUp(held: Held): void {
    while (held.index > 0) {
      const parent = this.#heap[(held.index - 1) >>> 1];
      if (parent === undefined || parent.amount >= held.amount) return;
      this.#swap(parent, held);
    }
  }

  #moveDown(held: Held): void {
    for (;;) {
      const left = this.#heap[2 * held.index + 1];
      const right = this.#heap[2 * held.index + 2];
      if (left === undefined) return;
      const larger = right !== undefined && right.amount > left.amount ? right : left;
      if (larger.amount <= held.amount) return;
      this.#swap(held, larger);
    }
  }

  #swap(a: Held, b: Held): void {
    const at = a.index;
    a.index = b.index;
    b.index = at;
    this.#heap[a.index] = a;
    this.#heap[b.index] = b;
  }
}
