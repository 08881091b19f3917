export type Position = { readonly epoch: string; readonly offset: number };

/** Own messages that are remembered behind a hole; beyond it the lowest are forgotten, and would be told as a gap at worst. */
const MAX_REMEMBERED = 1_000;

/**
 * Up to where one channel was heard. What comes is in order, so a message says that nothing before it is missing. An own message
 * that is not sent back says so only of itself: it moves the position when it is the next one; behind a hole it is remembered
 * until the hole is filled, so that the position never passes something that was not heard.
 */
export class HeardPosition {
  #position: Position | undefined;
  readonly #own = new Set<number>();

  get current(): Position | undefined {
    return this.#position;
  }

  /** A message came, or the server's word that there will be none, up to this place. In another life of the channel offsets begin anew. */
  reach(epoch: string, offset: number): void {
    if (epoch === "") return;
    const known = this.#position;
    if (known?.epoch !== epoch) this.#own.clear();
    else if (known.offset >= offset) return;
    this.#position = { epoch, offset };
    this.#absorb();
  }

  /** An own message has this place, and will not be sent back. */
  sent(epoch: string, offset: number): void {
    const known = this.#position;
    if (known?.epoch !== epoch || offset <= known.offset) return;
    this.#own.add(offset);
    if (this.#own.size > MAX_REMEMBERED) this.#own.delete(Math.min(...this.#own));
    this.#absorb();
  }

  #absorb(): void {
    if (this.#own.size === 0 || this.#position === undefined) return;
    const { epoch } = this.#position;
    let { offset } = this.#position;
    for (const own of this.#own) if (own <= offset) this.#own.delete(own);
    while (this.#own.delete(offset + 1)) offset += 1;
    this.#position = { epoch, offset };
  }
}
