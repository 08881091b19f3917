import { FairBudget } from "./fair-budget.ts";

/** What a {@link FairQueue} holds: the links are the queue's, which is why an item is in at most one. */
export class Held<T extends Held<T>> {
  queue: OwnerQueue<T> | undefined;
  older: T | undefined;
  newer: T | undefined;
  /** What it is charged, in the unit of the budget. */
  amount = 0;
}

/** What one owner holds, oldest first. */
export type OwnerQueue<T> = { readonly owner: string; oldest: T | undefined; newest: T | undefined };

/**
 * Things that are kept for their owners under one {@link FairBudget}. The one to give way is the oldest of the owner that
 * holds most, so that an owner below its fair share loses nothing. Each operation costs at most two look-ups and
 * O(log owners), whatever is held.
 */
export class FairQueue<T extends Held<T>> {
  readonly #budget: FairBudget;
  readonly #queues = new Map<string, OwnerQueue<T>>();

  constructor(max: number) {
    this.#budget = new FairBudget(max);
  }

  get total(): number {
    return this.#budget.total;
  }

  get isExceeded(): boolean {
    return this.#budget.isExceeded;
  }

  /** The next one to give way while {@link isExceeded}. */
  get first(): T | undefined {
    const largest = this.#budget.largest;
    return largest === undefined ? undefined : this.#queues.get(largest.name)?.oldest;
  }

  amountOf(owner: string): number {
    return this.#budget.amountOf(owner);
  }

  /** The oldest of this owner. */
  oldestOf(owner: string): T | undefined {
    return this.#queues.get(owner)?.oldest;
  }

  /** Who holds anything. */
  owners(): Iterable<string> {
    return this.#queues.keys();
  }

  /** As the newest of its owner. */
  add(owner: string, item: T, amount: number): void {
    let queue = this.#queues.get(owner);
    if (queue === undefined) {
      queue = { owner, oldest: undefined, newest: undefined };
      this.#queues.set(owner, queue);
    }
    item.queue = queue;
    item.amount = amount;
    append(queue, item);
    this.#budget.charge(owner, amount);
  }

  /** It is the newest of its owner again. */
  renew(item: T): void {
    const { queue } = item;
    if (queue === undefined || queue.newest === item) return;
    unlink(queue, item);
    append(queue, item);
  }

  /** Nothing happens to one that is not held. */
  remove(item: T): void {
    const { queue } = item;
    if (queue === undefined) return;
    unlink(queue, item);
    item.queue = undefined;
    if (queue.oldest === undefined) this.#queues.delete(queue.owner);
    this.#budget.discharge(queue.owner, item.amount);
  }

  clear(): void {
    this.#queues.clear();
    this.#budget.clear();
  }
}

function append<T extends Held<T>>(queue: OwnerQueue<T>, item: T): void {
  item.older = queue.newest;
  item.newer = undefined;
  if (queue.newest === undefined) queue.oldest = item;
  else queue.newest.newer = item;
  queue.newest = item;
}

function unlink<T extends Held<T>>(queue: OwnerQueue<T>, item: T): void {
  const { older, newer } = item;
  if (older === undefined) queue.oldest = newer;
  else older.newer = newer;
  if (newer === undefined) queue.newest = older;
  else newer.older = older;
  item.older = undefined;
  item.newer = undefined;
}
