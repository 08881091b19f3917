import { hash } from "node:crypto";
import { customAlphabet } from "nanoid";
import { hasControlCharacter, LIMITS } from "../../protocol/index.ts";

/** In ASCII order, so that base62 numbers of one width sort as text. */
export const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const PREFIX = "slc_";
const CHECKSUM_CHARS = 6;
const SHAPE = /^slc_[0-9A-Za-z]{38}$/;
const HINT_CHARS = 8;

const randomPart = customAlphabet(BASE62, 32);

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 (IEEE 802.3) of ASCII text; `zlib.crc32` needs Node 22. */
export function crc32(ascii: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < ascii.length; i += 1) {
    crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ ascii.charCodeAt(i)) & 0xff] ?? 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A whole number in base62, padded with zeros to `width` characters. */
export function toBase62(value: number, width: number): string {
  let rest = value;
  let text = "";
  do {
    text = BASE62.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  } while (rest > 0);
  return text.padStart(width, "0");
}

/** A new secret: `slc_`, 32 random base62 characters (190 bits), 6 of checksum. */
export function createSecret(): string {
  const body = PREFIX + randomPart();
  return body + toBase62(crc32(body), CHECKSUM_CHARS);
}

/** Whether a secret of our own form is as we made it; false for a mistyped one and for every other form. */
export function hasValidChecksum(secret: string): boolean {
  if (!SHAPE.test(secret)) return false;
  return toBase62(crc32(secret.slice(0, -CHECKSUM_CHARS)), CHECKSUM_CHARS) === secret.slice(-CHECKSUM_CHARS);
}

/**
 * Whether a secret is worth a look-up: with our prefix, its checksum decides; imported secrets have any
 * form that a header can carry, up to {@link LIMITS.apiKeyMaxChars} UTF-16 units.
 */
export function isPossibleSecret(secret: unknown): secret is string {
  if (typeof secret !== "string" || secret.length === 0 || secret.length > LIMITS.apiKeyMaxChars)
    return false;
  if (secret.startsWith(PREFIX)) return hasValidChecksum(secret);
  return secret.isWellFormed() && !hasControlCharacter(secret) && secret.trim().length === secret.length;
}

/** SHA-256 in base64url (43 characters): what is stored and looked up instead of the secret. */
export function digestOf(secret: string): string {
  return hash("sha256", secret, "base64url");
}

/** The beginning of a secret, to recognise it by: 8 characters, and never more than a quarter of it. */
export function hintOf(secret: string): string {
  const characters = Array.from(secret);
  return `${characters.slice(0, Math.min(HINT_CHARS, Math.floor(characters.length / 4))).join("")}…`;
}

/** Why {@link isPossibleSecret} says no. Does not show the secret. */
export function faultOfSecret(secret: string): string {
  return secret.startsWith(PREFIX)
    ? "this secret begins with slc_ and its checksum does not fit: it was mistyped"
    : "a secret has 1 to 512 characters, no control characters and no white space around it";
}
