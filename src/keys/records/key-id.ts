import { customAlphabet } from "nanoid";
import { BASE62, toBase62 } from "../secret/secret.ts";
import { InvalidCursorError } from "./errors.ts";
import { isKeyId } from "./key-record.ts";

const TIME_CHARS = 9;
const randomPart = customAlphabet(BASE62, 13);

/**
 * Makes ids `key_` + 9 base62 characters of microseconds + 13 random ones. They sort by creation: within one
 * source strictly, across processes by their clocks. So the records are their own index for listing.
 */
export function createIdSource(clock: () => number): () => string {
  let last = 0;
  return () => {
    last = Math.max(last + 1, Math.floor(clock() * 1000));
    return `key_${toBase62(last, TIME_CHARS)}${randomPart()}`;
  };
}

/** Where a page ended, for the next to go on after it. */
export function cursorOfId(id: string): string {
  return Buffer.from(id).toString("base64url");
}

/** @throws InvalidCursorError */
export function idOfCursor(cursor: string): string {
  const id = Buffer.from(cursor, "base64url").toString();
  if (!isKeyId(id)) throw new InvalidCursorError();
  return id;
}
