import { type Family, formatAddress, isMapped, parseAddress, parseLiteral } from "./address.ts";
import { quote } from "./fault.ts";

/** An address or CIDR range, host bits masked. `text` is canonical; a full-length prefix is left out. */
export type Network = {
  readonly family: 4 | 6;
  readonly first: Uint32Array;
  readonly last: Uint32Array;
  readonly text: string;
};

/**
 * Parse an address or `address/prefix`. A mapped range of at least /96 is the IPv4 range; a wider IPv6 range stays
 * IPv6 and matches no IPv4 client. Returns the fault as text.
 */
export function parseNetwork(text: string): Network | string {
  const slash = text.indexOf("/");
  const addressEnd = slash < 0 ? text.length : slash;
  const words = new Uint32Array(4);
  let family = parseLiteral(text, 0, addressEnd, words);
  if (family === 0) return addressFault(text.slice(0, addressEnd), quote(text));
  let prefix = family === 4 ? 32 : 128;
  if (slash >= 0) {
    const given = parsePrefix(text, slash + 1);
    if (given < 0 || given > prefix) {
      return `"${quote(text)}" has no valid prefix: write a whole number from 0 to ${prefix} after the slash`;
    }
    prefix = given;
  }
  if (prefix >= 96 && isMapped(words)) {
    family = 4;
    prefix -= 96;
    words[0] = words[3] ?? 0;
  }
  return network(family, words, prefix);
}

function network(family: 4 | 6, words: Uint32Array, prefix: number): Network {
  const size = family === 4 ? 1 : 4;
  const first = words.slice(0, size);
  const last = words.slice(0, size);
  for (let i = 0; i < size; i += 1) {
    const bits = Math.min(32, Math.max(0, prefix - 32 * i));
    const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
    first[i] = (words[i] ?? 0) & mask;
    last[i] = (words[i] ?? 0) | ~mask;
  }
  const base = formatAddress(family, first);
  return { family, first, last, text: prefix === size * 32 ? base : `${base}/${prefix}` };
}

function parsePrefix(text: string, start: number): number {
  const length = text.length - start;
  if (length < 1 || (length > 1 && text.charCodeAt(start) === 0x30)) return -1;
  let value = 0;
  for (let i = start; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x30 || unit > 0x39) return -1;
    value = value * 10 + unit - 0x30;
  }
  return value;
}

function addressFault(text: string, shown: string): string {
  if (text === "") return "empty: write an address such as 203.0.113.7 or a range such as 10.0.0.0/8";
  if (text.includes("%")) return `"${shown}" has a zone: leave out the % and what follows`;
  if (text.startsWith("[")) return `"${shown}" has brackets: write the address without brackets and port`;
  const octets = text.split(".", 6);
  if (
    octets.length > 1 &&
    octets.some((octet) => octet.length > 1 && octet.startsWith("0") && isDigits(octet))
  ) {
    return `"${shown}" has a leading zero, which some programs read as octal: write decimal octets without it`;
  }
  if (!text.includes(":") && octets.length < 4 && octets.every((octet) => isDigits(octet))) {
    return `"${shown}" is a short form: write all four octets, as in 10.0.0.0/8`;
  }
  return `"${shown}" is not an IPv4 or IPv6 address`;
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x30 || unit > 0x39) return false;
  }
  return text.length > 0;
}

const scratch = new Uint32Array(4);

/** A set of ranges, sorted and merged once; look-ups are a binary search that allocates nothing. */
export class NetworkSet {
  readonly #first4: Uint32Array;
  readonly #last4: Uint32Array;
  readonly #first6: Uint32Array;
  readonly #last6: Uint32Array;

  constructor(networks: readonly Network[]) {
    const [first4, last4] = merge(networks.filter((one) => one.family === 4));
    const [first6, last6] = merge(networks.filter((one) => one.family === 6));
    this.#first4 = first4;
    this.#last4 = last4;
    this.#first6 = first6;
    this.#last6 = last6;
  }

  /** Whether the text is an address inside the set: 1 yes, 0 no, -1 not an address. */
  test(text: string): 1 | 0 | -1 {
    const family = parseAddress(text, 0, text.length, scratch);
    if (family === 0) return -1;
    return this.#contains(family, scratch) ? 1 : 0;
  }

  /** Whether parsed words lie inside the set. */
  contains(family: Family, words: Uint32Array): boolean {
    return family !== 0 && this.#contains(family, words);
  }

  #contains(family: Family, words: Uint32Array): boolean {
    return family === 4 ? this.#contains4(words) : this.#contains6(words);
  }

  #contains4(words: Uint32Array): boolean {
    const word = words[0] ?? 0;
    const first = this.#first4;
    let low = 0;
    let high = first.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((first[middle] ?? 0) <= word) low = middle + 1;
      else high = middle;
    }
    return low > 0 && word <= (this.#last4[low - 1] ?? -1);
  }

  #contains6(words: Uint32Array): boolean {
    const first = this.#first6;
    let low = 0;
    let high = first.length >>> 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(first, middle << 2, words) <= 0) low = middle + 1;
      else high = middle;
    }
    return low > 0 && compare(this.#last6, (low - 1) << 2, words) >= 0;
  }
}

/** Compare the four words of `list` from `at` with `words`. */
function compare(list: Uint32Array, at: number, words: Uint32Array): number {
  for (let i = 0; i < 4; i += 1) {
    const difference = (list[at + i] ?? 0) - (words[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Sort ranges of one family and join those that overlap; returns the flattened words of both ends. */
function merge(networks: readonly Network[]): [Uint32Array, Uint32Array] {
  const size = networks[0]?.first.length ?? 1;
  const ranges = networks
    .map((one) => ({ first: toBigInt(one.first), last: toBigInt(one.last) }))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const merged: { first: bigint; last: bigint }[] = [];
  for (const range of ranges) {
    const previous = merged.at(-1);
    if (previous === undefined || range.first > previous.last) merged.push({ ...range });
    else if (range.last > previous.last) previous.last = range.last;
  }
  const first = new Uint32Array(merged.length * size);
  const last = new Uint32Array(merged.length * size);
  for (const [index, range] of merged.entries()) {
    fromBigInt(range.first, first, index * size, size);
    fromBigInt(range.last, last, index * size, size);
  }
  return [first, last];
}

function toBigInt(words: Uint32Array): bigint {
  let value = 0n;
  for (const word of words) value = (value << 32n) | BigInt(word);
  return value;
}

function fromBigInt(value: bigint, out: Uint32Array, at: number, size: number): void {
  for (let i = size - 1, rest = value; i >= 0; i -= 1, rest >>= 32n) {
    out[at + i] = Number(rest & 0xffffffffn);
  }
}
