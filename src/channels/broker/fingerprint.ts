import { createHash, type Hash, hash } from "node:crypto";
import { binaryOf } from "./publication.ts";

/** Equal for equal bodies, and for no others. */
export function fingerprintOf(eventName: string, message: unknown): string {
  if (binaryOf(message).count === 0) return hash("sha256", JSON.stringify([eventName, message]), "base64");
  // Binary values are hashed as they are: as JSON, a byte takes several characters, and other values look like them.
  const digest = createHash("sha256");
  digest.update(take(digest, message, `binary ${JSON.stringify(eventName)}`));
  return digest.digest("base64");
}

/**
 * Each value begins with its kind and its length, so that none runs into another.
 * @returns the text that is still to be hashed: bytes are, with what came before them
 */
function take(digest: Hash, value: unknown, before: string): string {
  if (value instanceof ArrayBuffer) return take(digest, new Uint8Array(value), before);
  if (ArrayBuffer.isView(value)) {
    digest.update(`${before} b${value.byteLength} `);
    digest.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    return "";
  }
  if (Array.isArray(value)) {
    let text = `${before} a${value.length}`;
    for (const item of value) text = take(digest, item, text);
    return text;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    let text = `${before} o${entries.length}`;
    for (const [key, item] of entries) text = take(digest, item, `${text} ${JSON.stringify(key)}`);
    return text;
  }
  return `${before} ${JSON.stringify(value)}`;
}
