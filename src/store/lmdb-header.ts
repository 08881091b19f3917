import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type DataFile, type Meta, pageNumberAt, pageProblem, rootAt } from "./lmdb-pages.ts";

/** Where things are in a meta page of lmdb 3 (little-endian): page header 24 bytes, then the meta block. */
const HEADER_BYTES = 160;
const MAGIC_AT = 24;
const VERSION_AT = 28;
const PAGE_BYTES_AT = 48;
const ROOTS_AT = [88, 136] as const;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;

/** While another process writes, pages are used again under a reader that LMDB does not know of: then it looks once more. */
const MAX_LOOKS = 5;

/**
 * Refuses a data file that LMDB would not survive: of another format, cut short, or with pages that do not belong together. LMDB
 * finds some of that out too, but then the process ends by a signal, without a word. An empty file is a new database.
 */
export function checkDataFile(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    for (let look = 1; look <= MAX_LOOKS; look += 1) {
      const { size } = fstatSync(descriptor);
      if (size === 0) return;
      const found = readNewestMeta(descriptor, path);
      const file: DataFile = { descriptor, bytes: size, pageBytes: found.pageBytes };
      const problem = pageProblem(file, found.meta);
      if (problem === undefined) return;
      if (readNewestMeta(descriptor, path).meta.transaction === found.meta.transaction)
        throw new Error(`${path} is damaged: ${problem}. Put a backup in its place`);
    }
  } finally {
    closeSync(descriptor);
  }
}

function readNewestMeta(descriptor: number, path: string): { pageBytes: number; meta: Meta } {
  const first = readHeader(descriptor, 0);
  checkMeta(first, path);
  const pageBytes = first.readUInt32LE(PAGE_BYTES_AT);
  if (!(pageBytes >= 256 && pageBytes <= 65_536))
    throw new Error(`${path} is damaged: its pages have no size`);
  const second = readHeader(descriptor, pageBytes);
  checkMeta(second, path);
  const [one, other] = [metaOf(first), metaOf(second)];
  return { pageBytes, meta: other.transaction > one.transaction ? other : one };
}

function metaOf(header: Buffer): Meta {
  return {
    transaction: header.readBigUInt64LE(TRANSACTION_AT),
    lastPage: pageNumberAt(header, LAST_PAGE_AT),
    roots: ROOTS_AT.map((at) => rootAt(header, at)),
  };
}

function readHeader(file: number, position: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, position));
}

function checkMeta(header: Buffer, path: string): void {
  if (header.length < HEADER_BYTES || header.readUInt32LE(MAGIC_AT) !== MAGIC) {
    throw new Error(`${path} is damaged or no LMDB database`);
  }
  const version = header.readUInt32LE(VERSION_AT);
  if (version !== DATA_VERSION) throw new Error(`${path} is an LMDB database of another format (${version})`);
}
