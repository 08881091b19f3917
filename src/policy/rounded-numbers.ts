import { type Fault, pointerTo } from "./fault.ts";

/** From here on JavaScript writes a number with an exponent, so that nobody takes it for the digits that were written. */
const EXPONENT_FROM = 1e21;
const MESSAGE = "is a number beyond 2^53, whose last digits are lost: write it as text";

/**
 * Whole numbers that are too large for JavaScript: JSON has no bound, and by now they are rounded. The value is plain JSON,
 * within the bounds of metadata.
 */
export function roundedNumbers(value: unknown, pointer: string): Fault[] {
  if (typeof value === "number") {
    const isRounded = Math.abs(value) > Number.MAX_SAFE_INTEGER && Math.abs(value) < EXPONENT_FROM;
    return isRounded ? [{ pointer, message: MESSAGE }] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => roundedNumbers(part, pointerTo(pointer, key)));
}
