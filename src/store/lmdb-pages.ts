import { readSync } from "node:fs";

/** Of one of the two meta pages: what the commit that wrote it left behind. */
export type Meta = {
  readonly transaction: bigint;
  readonly lastPage: number;
  /** The first pages of the tree of free pages and of the tree of entries; undefined when it is empty. */
  readonly roots: readonly (number | undefined)[];
};

export type DataFile = { readonly descriptor: number; readonly bytes: number; readonly pageBytes: number };

// Where things are in a page of lmdb 3, little-endian, as `MDB_page` and `MDB_node` in its mdb.c have them.
const HEADER_BYTES = 24;
const TRANSACTION_AT = 8;
const FLAGS_AT = 18;
const LOWER_AT = 20;
const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
const NODE_BYTES = 8;
const IN_OVERFLOW = 0x01;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/** A page number of 64 bits; NaN for one that no file has. */
export function pageNumberAt(page: Buffer, at: number): number {
  const number = page.readBigUInt64LE(at);
  return number > BigInt(Number.MAX_SAFE_INTEGER) ? Number.NaN : Number(number);
}

export function rootAt(page: Buffer, at: number): number | undefined {
  return page.readBigUInt64LE(at) === NO_PAGE ? undefined : pageNumberAt(page, at);
}

/**
 * Follows every page that a commit can reach. LMDB maps the file and believes it: a page beyond its end, or one of another
 * commit, ends the process by a signal.
 * @returns what is wrong
 */
export function pageProblem(file: DataFile, meta: Meta): string | undefined {
  const waiting = meta.roots.filter((root) => root !== undefined);
  const page = Buffer.alloc(file.pageBytes);
  for (let seen = 0; waiting.length > 0; seen += 1) {
    if (seen > meta.lastPage) return "its pages go round in a circle";
    const number = waiting.pop() ?? 0;
    const problem = readPage(file, meta, number, page);
    if (problem !== undefined) return problem;
    try {
      if (!addChildren(page, waiting)) return `page ${number} is of no kind that belongs there`;
    } catch (error) {
      // What a node says lies outside its page.
      if (error instanceof RangeError) return `page ${number} is damaged`;
      throw error;
    }
  }
  return undefined;
}

function readPage(file: DataFile, meta: Meta, number: number, page: Buffer): string | undefined {
  if (!(number <= meta.lastPage)) return "a page is named that it does not have";
  const position = number * file.pageBytes;
  const isCut = `it is cut short: it has ${file.bytes} bytes, and needs ${(meta.lastPage + 1) * file.pageBytes}`;
  if (position + file.pageBytes > file.bytes) return isCut;
  if (readSync(file.descriptor, page, 0, file.pageBytes, position) < file.pageBytes) return isCut;
  if (pageNumberAt(page, 0) !== number) return `page ${number} holds something else`;
  if (page.readBigUInt64LE(TRANSACTION_AT) > meta.transaction)
    return "it mixes pages of several moments, as a copy does that was made while a server wrote";
  if ((page.readUInt16LE(FLAGS_AT) & OVERFLOW) === 0) return undefined;
  const count = page.readUInt32LE(LOWER_AT);
  return count > 0 && position + count * file.pageBytes <= file.bytes ? undefined : isCut;
}

/** Adds the pages that a page leads to. @returns false when it is none of a tree. */
function addChildren(page: Buffer, waiting: number[]): boolean {
  const flags = page.readUInt16LE(FLAGS_AT);
  if ((flags & OVERFLOW) !== 0) return true;
  const isBranch = (flags & BRANCH) !== 0;
  if (!isBranch && (flags & LEAF) === 0) return false;
  const count = page.readUInt16LE(LOWER_AT) >> 1;
  for (let index = 0; index < count; index += 1) {
    const node = HEADER_BYTES + page.readUInt16LE(HEADER_BYTES + index * 2);
    const nodeFlags = page.readUInt16LE(node + 4);
    if (isBranch) waiting.push(page.readUInt32LE(node) + nodeFlags * 2 ** 32);
    else if ((nodeFlags & IN_OVERFLOW) !== 0)
      waiting.push(pageNumberAt(page, node + NODE_BYTES + page.readUInt16LE(node + 6)));
  }
  return true;
}
