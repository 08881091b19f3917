import { closeSync, openSync, readSync } from "node:fs";

/** Where things are in a meta page of lmdb 3 (little-endian): page header 24 bytes, then the meta block. */
const HEADER_BYTES = 56;
const MAGIC_AT = 24;
const VERSION_AT = 28;
const PAGE_BYTES_AT = 48;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;

/**
 * Refuses a data file that LMDB would refuse. LMDB finds that out too, but lmdb 3.5 then ends the process with a
 * segmentation fault, without a word. An empty file is a new database.
 */
export function checkDataFile(path: string): void {
  const file = openSync(path, "r");
  try {
    const first = readHeader(file, 0);
    if (first.length === 0) return;
    checkMeta(first, path);
    checkMeta(readHeader(file, first.readUInt32LE(PAGE_BYTES_AT)), path);
  } finally {
    closeSync(file);
  }
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
