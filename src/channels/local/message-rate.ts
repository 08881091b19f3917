/** How many messages came in the last whole second, at the cost of a few numbers. */
export class MessageRate {
  #second = 0;
  #count = 0;
  #countBefore = 0;

  count(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) {
      this.#countBefore = second === this.#second + 1 ? this.#count : 0;
      this.#second = second;
      this.#count = 0;
    }
    this.#count += 1;
  }

  perSecond(nowMs: number): number {
    const second = Math.floor(nowMs / 1_000);
    if (second === this.#second) return this.#countBefore;
    return second === this.#second + 1 ? this.#count : 0;
  }
}
