import { hash } from "node:crypto";
import { encodeEntry } from "../../store/entry-codec.ts";
import { damaged, ENTRY_SCHEMA, isInstant, readEntry } from "../records/key-record.ts";
import { parseText } from "../records/stored-entries.ts";
import { BASE62, toBase62 } from "../secret/secret.ts";
import type { LogText } from "./key-log.ts";

export const DEED_PREFIX = "deed:";
export const HEAD_KEY = "deeds:head";
/** What the first entry of all is chained to. */
export const GENESIS = "genesis";

const ID_CHARS = 10;
const ID = /^[0-9A-Za-z]{10}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const ENTRY_FIELDS = ["schema", "sequence", "at", "text", "previous"];
const HEAD_FIELDS = ["schema", "first", "previous", "last", "digest", "bytes", "adopted"];

/** An entry of the chain. */
export type Deed = LogText & {
  /** From 1, without a gap. */
  readonly sequence: number;
  /** The digest of the entry before, or `genesis`. */
  readonly previous: string;
};

/** Where the chain begins and ends: the only record that every write of the chain replaces. */
export type ChainHead = {
  /** The oldest entry that is kept, and what it is chained to: the anchor of what was let go of. */
  readonly first: number;
  readonly previous: string;
  /** The newest entry and its digest; 0 and `genesis` for an empty chain. */
  readonly last: number;
  readonly digest: string;
  readonly bytes: number;
  /** Whether the log of an earlier version was taken over. */
  readonly adopted: boolean;
};

export const EMPTY_HEAD: ChainHead = {
  first: 1,
  previous: GENESIS,
  last: 0,
  digest: GENESIS,
  bytes: 0,
  adopted: false,
};

/** SHA-256, in hex, of the entry as JSON with the members `sequence`, `at`, `text` and `previous`, in this order and without spaces. */
export function digestOfDeed({ sequence, at, text, previous }: Deed): string {
  return hash("sha256", JSON.stringify({ sequence, at, text, previous }), "hex");
}

export function isChainDigest(text: string): boolean {
  return DIGEST.test(text);
}

export function deedId(sequence: number): string {
  return toBase62(sequence, ID_CHARS);
}

export function isDeedId(text: string): boolean {
  return ID.test(text);
}

/** The number in an entry's key, whatever its text says. */
export function sequenceOf(key: string): number {
  let sequence = 0;
  for (const character of key.slice(DEED_PREFIX.length)) sequence = sequence * 62 + BASE62.indexOf(character);
  return sequence;
}

export function encodeDeed({ sequence, at, text, previous }: Deed): string {
  return encodeEntry({ schema: ENTRY_SCHEMA, sequence, at, text, previous });
}

/** @throws UnreadableRecordError */
export function parseDeed(id: string, stored: string): Deed {
  const name = `the audit's entry ${id}`;
  const { sequence, at, text, previous } = readEntry(
    name,
    parseText(stored, name),
    ENTRY_FIELDS,
    ENTRY_SCHEMA,
  );
  if (!isCount(sequence) || deedId(sequence) !== id) throw damaged(name, "sequence");
  if (!isInstant(at)) throw damaged(name, "at");
  if (typeof text !== "string") throw damaged(name, "text");
  if (!isLink(previous)) throw damaged(name, "previous");
  return { sequence, at, text, previous };
}

export function encodeHead({ first, previous, last, digest, bytes, adopted }: ChainHead): string {
  return encodeEntry({ schema: ENTRY_SCHEMA, first, previous, last, digest, bytes, adopted });
}

/** @throws UnreadableRecordError */
export function parseHead(stored: string | undefined): ChainHead {
  if (stored === undefined) return EMPTY_HEAD;
  const name = "the head of the audit";
  const head = readEntry(name, parseText(stored, name), HEAD_FIELDS, ENTRY_SCHEMA);
  const { first, previous, last, digest, bytes, adopted } = head;
  if (!isCount(first) || first < 1) throw damaged(name, "first");
  if (!isLink(previous)) throw damaged(name, "previous");
  if (!isCount(last) || last < first - 1) throw damaged(name, "last");
  if (!isLink(digest)) throw damaged(name, "digest");
  if (!isCount(bytes)) throw damaged(name, "bytes");
  if (typeof adopted !== "boolean") throw damaged(name, "adopted");
  return { first, previous, last, digest, bytes, adopted };
}

function isLink(value: unknown): value is string {
  return typeof value === "string" && (value === GENESIS || DIGEST.test(value));
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
