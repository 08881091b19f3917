/** A string's header; each of its units takes one byte, or two where one of them is not Latin-1. */
const STRING_BYTES = 32;
const OBJECT_BYTES = 64;
/** An object whose shape no other has keeps a hidden class with a descriptor of each member, beside the member itself. */
const MEMBER_BYTES = 160;
const ARRAY_BYTES = 48;
const SLOT_BYTES = 8;
/** A number that is no small integer is an object of its own. */
const NUMBER_BYTES = 16;
/** The view, its buffer and their bookkeeping outside the heap. */
const BINARY_BYTES = 320;

/**
 * What a decoded value takes in memory at most, apart from what it shares with others: enough to bound it, without encoding it.
 * Measured on V8 with `--expose-gc`; `test/channels/history-memory.test.ts` holds it against the heap.
 */
export function roughSize(value: unknown): number {
  if (typeof value === "string") return sizeOfText(value);
  if (typeof value === "number") return Number.isInteger(value) ? SLOT_BYTES : SLOT_BYTES + NUMBER_BYTES;
  if (typeof value !== "object" || value === null) return SLOT_BYTES;
  if (ArrayBuffer.isView(value)) return BINARY_BYTES + value.buffer.byteLength;
  if (value instanceof ArrayBuffer) return BINARY_BYTES + value.byteLength;
  if (Array.isArray(value)) {
    let bytes = ARRAY_BYTES + SLOT_BYTES;
    for (let index = 0; index < value.length; index += 1) bytes += roughSize(value[index]);
    return bytes;
  }
  let bytes = OBJECT_BYTES;
  for (const key in value) bytes += MEMBER_BYTES + 2 * key.length + roughSize(Reflect.get(value, key));
  return bytes;
}

/** The same of a string. */
export function sizeOfText(text: string): number {
  return STRING_BYTES + 2 * text.length;
}
