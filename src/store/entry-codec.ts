import { isObject } from "../lib/json-object.ts";

/**
 * The one representation of an entry: Keyv's envelope `{ value, expires? }` as JSON text. Keyv reads and
 * writes through it and so does compare-and-set, which compares texts. Keyv's own serialiser is not used: it
 * turns strings that begin with `:base64:` into Buffers, which settings may well contain.
 */
export type Envelope = { value?: unknown; expires?: number | undefined };

/** Text that is no envelope. It says nothing about the content. */
export class DamagedEntryError extends Error {
  override readonly name = "DamagedEntryError";

  constructor() {
    super("not an envelope");
  }
}

export function encodeEntry(value: unknown): string {
  return encodeEnvelope({ value });
}

export function encodeEnvelope(envelope: Envelope): string {
  return JSON.stringify(envelope);
}

/** @throws DamagedEntryError */
export function decodeEntry(text: string): unknown {
  return decodeEnvelope(text).value;
}

/** @throws DamagedEntryError, where Keyv would read `undefined`, "not found" */
export function decodeEnvelope(text: string): Envelope {
  const envelope = parseJson(text);
  if (!isObject(envelope)) throw new DamagedEntryError();
  const { value, expires } = envelope;
  if (value === undefined || value === null) throw new DamagedEntryError();
  if (expires !== undefined && typeof expires !== "number") throw new DamagedEntryError();
  return { value, expires };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new DamagedEntryError();
  }
}
