import type { Refusal } from "../protocol/index.ts";

/** A body that is refused while it is read. What reads it throws it on, and it is answered with its refusal. */
export class BodyError extends Error {
  override readonly name = "BodyError";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}
