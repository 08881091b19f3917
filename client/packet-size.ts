import { isRecord } from "./record.ts";

/** What Socket.IO writes around an event and its acknowledgement: types, counts, the ack's number. */
const FRAME_BYTES = 32;

/**
 * The bytes of the largest packet that an event is sent in: its text, or one of its binary values, which are packets of their own.
 * Throws what JSON.stringify throws, and for an object that the receiver would take for the mark of a binary value beside it.
 */
export function packetBytes(event: string, payload: unknown): number {
  let largestBinary = -1;
  let isMarked = false;
  const text = JSON.stringify([event, payload], function (this: unknown, key: string, value: unknown) {
    // A Buffer has become JSON by now.
    const bytes = binaryBytes(typeof this === "object" && this !== null ? Reflect.get(this, key) : value);
    if (bytes === undefined) {
      isMarked ||= isRecord(value) && value["_placeholder"] === true;
      return value;
    }
    largestBinary = Math.max(largestBinary, bytes);
    return { _placeholder: true, num: 0 };
  });
  if (isMarked && largestBinary >= 0)
    throw new TypeError('an object with "_placeholder" cannot be sent beside binary values');
  return FRAME_BYTES + Math.max(utf8Bytes(text), largestBinary);
}

function binaryBytes(value: unknown): number | undefined {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength;
  return typeof Blob === "function" && value instanceof Blob ? value.size : undefined;
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    // A surrogate pair is two units and four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
