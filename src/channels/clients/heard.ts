/** Stretches of a channel that are remembered one by one; the oldest are forgotten beyond it. */
const MAX_STRETCHES = 64;

type Stretch = { readonly after: number; upTo: number };

/**
 * What a connection has heard of a channel's life: stretches of offsets. Each retained message is sent to a connection at
 * most once, and what it has not heard is not taken for heard, however it joined and left.
 */
export class Heard {
  readonly epoch: string;
  /** Up to here nothing is known any more: nothing is replayed. */
  forgottenUpTo = 0;
  /** In order, apart from each other. */
  readonly #stretches: Stretch[] = [];

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  /** It has heard everything after `after`, up to `upTo`, and nothing of that before. */
  add(after: number, upTo: number): void {
    if (upTo <= after) return;
    const stretches = this.#stretches;
    let at = stretches.length;
    while (at > 0 && (stretches[at - 1]?.upTo ?? 0) > after) at -= 1;
    const left = stretches[at - 1];
    const right = stretches[at];
    if (left?.upTo === after) {
      left.upTo = right?.after === upTo ? right.upTo : upTo;
      if (right?.after === upTo) stretches.splice(at, 1);
    } else if (right?.after === upTo) {
      stretches[at] = { after, upTo: right.upTo };
    } else {
      stretches.splice(at, 0, { after, upTo });
    }
    if (stretches.length > MAX_STRETCHES) this.forgottenUpTo = stretches.shift()?.upTo ?? 0;
  }

  /** The end of what it has heard without a break after an offset: that offset itself when it has not heard the next. */
  endAfter(offset: number): number {
    for (const { after, upTo } of this.#stretches) if (after <= offset && offset < upTo) return upTo;
    return offset;
  }
}
