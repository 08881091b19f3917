/** Names that are told apart; with more of them everything counts as changed. */
const MAX_NAMES = 1_000;

/**
 * What changed while somebody was looking it up: whoever reads a store begins, reads, and asks whether what it read has
 * changed since. Changes are numbered; a name is kept with its last one while anybody looks.
 */
export class RecentChanges {
  readonly #lastOf = new Map<string, number>();
  #lookups = 0;
  #count = 0;
  /** The last change of those that are not kept by name. */
  #lastOfAny = 0;

  /** The number of the latest change. */
  get now(): number {
    return this.#count;
  }

  /** A look-up, until the matching `end`. @returns the number of the latest change */
  begin(): number {
    this.#lookups += 1;
    return this.#count;
  }

  end(): void {
    this.#lookups -= 1;
    if (this.#lookups === 0 && this.#lastOf.size > 0) this.#lastOf.clear();
  }

  note(name: string): void {
    this.#count += 1;
    if (this.#lookups === 0) return;
    this.#lastOf.set(name, this.#count);
    if (this.#lastOf.size <= MAX_NAMES) return;
    this.#lastOf.clear();
    this.#lastOfAny = this.#count;
  }

  /** Whether it may have changed after that change. */
  has(name: string, since: number): boolean {
    return this.#lastOfAny > since || (this.#lastOf.get(name) ?? 0) > since;
  }
}
