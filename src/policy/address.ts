/** IPv4 addresses are one 32-bit word, IPv6 addresses four. `0` is no address. */
export type Family = 0 | 4 | 6;

const COLON = 0x3a;
const DOT = 0x2e;

// Results of the two parsers below. A number above 2^31 that a function returns may be boxed; a store is not.
const ipv4 = new Uint32Array(1);
const groups = new Uint16Array(8);

/**
 * Parse `text[start, end)` as an address into `words`. IPv4-mapped IPv6 (`::ffff:0:0/96`), in every spelling, is
 * IPv4. Strict: four decimal octets without leading zeros, RFC 4291 text without a zone. Allocates nothing.
 */
export function parseAddress(text: string, start: number, end: number, words: Uint32Array): Family {
  const family = parseLiteral(text, start, end, words);
  if (family === 6 && isMapped(words)) {
    words[0] = words[3] ?? 0;
    return 4;
  }
  return family;
}

/** As {@link parseAddress}, but a mapped address stays IPv6 as written. */
export function parseLiteral(text: string, start: number, end: number, words: Uint32Array): Family {
  if (end - start < 2 || end - start > 45) return 0;
  if (parseIPv4(text, start, end)) {
    words[0] = ipv4[0] ?? 0;
    return 4;
  }
  if (!parseIPv6(text, start, end)) return 0;
  for (let i = 0; i < 4; i += 1) {
    words[i] = (((groups[2 * i] ?? 0) << 16) | (groups[2 * i + 1] ?? 0)) >>> 0;
  }
  return 6;
}

/** Whether four words lie in `::ffff:0:0/96`. */
export function isMapped(words: Uint32Array): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

/** Fill `ipv4` from four decimal octets. */
function parseIPv4(text: string, start: number, end: number): boolean {
  let word = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let i = start; i < end; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === DOT) {
      if (digits === 0) return false;
      word = word * 256 + octet;
      octet = 0;
      digits = 0;
      dots += 1;
    } else {
      if (unit < 0x30 || unit > 0x39 || (digits > 0 && octet === 0)) return false;
      octet = octet * 10 + unit - 0x30;
      digits += 1;
      if (octet > 255) return false;
    }
  }
  if (dots !== 3 || digits === 0) return false;
  ipv4[0] = word * 256 + octet;
  return true;
}

/**
 * Fill `groups` from RFC 4291 text; `::` stands for one or more groups. Groups past the eighth are counted, and the
 * array drops them.
 */
function parseIPv6(text: string, start: number, end: number): boolean {
  let count = 0;
  let gap = -1;
  let value = 0;
  let digits = 0;
  let groupStart = start;
  let separated = false; // the last character was the colon after a group
  let i = start;
  if (text.charCodeAt(start) === COLON) {
    if (text.charCodeAt(start + 1) !== COLON) return false;
    gap = 0;
    i = start + 2;
    groupStart = i;
  }
  for (; i < end; i += 1) {
    const unit = text.charCodeAt(i);
    const digit = hexDigit(unit);
    if (digit >= 0) {
      if (digits === 4) return false;
      value = value * 16 + digit;
      digits += 1;
      separated = false;
    } else if (unit === COLON && digits > 0) {
      groups[count] = value;
      count += 1;
      value = 0;
      digits = 0;
      separated = true;
      groupStart = i + 1;
    } else if (unit === COLON && separated && gap < 0) {
      gap = count;
      separated = false;
      groupStart = i + 1;
    } else if (parseIPv4(text, groupStart, end)) {
      groups[count] = (ipv4[0] ?? 0) >>> 16;
      groups[count + 1] = (ipv4[0] ?? 0) & 0xffff;
      count += 2;
      digits = 0;
      break;
    } else {
      return false;
    }
  }
  if (separated) return false;
  if (digits > 0) {
    groups[count] = value;
    count += 1;
  }
  if (gap < 0) return count === 8;
  if (count >= 8) return false;
  openGap(gap, count);
  return true;
}

/** Move the groups after `::` to the end and fill the gap with zeros. */
function openGap(gap: number, count: number): void {
  const shift = 8 - count;
  for (let i = 7; i >= gap; i -= 1) groups[i] = i >= gap + shift ? (groups[i - shift] ?? 0) : 0;
}

function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Canonical text: dotted quad, or RFC 5952 without the mixed notation. */
export function formatAddress(family: 4 | 6, words: Uint32Array): string {
  if (family === 4) {
    const word = words[0] ?? 0;
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
  }
  const parts: number[] = [];
  for (let i = 0; i < 4; i += 1) parts.push((words[i] ?? 0) >>> 16, (words[i] ?? 0) & 0xffff);
  let from = -1;
  let length = 1;
  for (let i = 0; i < 8; i += 1) {
    let run = 0;
    while (parts[i + run] === 0) run += 1;
    if (run > length) {
      from = i;
      length = run;
    }
  }
  const hex = parts.map((part) => part.toString(16));
  if (from < 0) return hex.join(":");
  return `${hex.slice(0, from).join(":")}::${hex.slice(from + length).join(":")}`;
}

/** The canonical text of an address (a mapped one is IPv4), or null when it is none. */
export function normalizeAddress(text: string): string | null {
  if (typeof text !== "string") return null;
  const words = new Uint32Array(4);
  const family = parseAddress(text, 0, text.length, words);
  if (family === 0) return null;
  const canonical = formatAddress(family, words);
  // The same text once, where thousands keep it.
  return canonical === text ? text : canonical;
}

/** Of the address whose group is asked for: nothing is kept between two calls. */
const groupWords = new Uint32Array(4);

/**
 * Whom a cap per address counts together: an IPv4 address alone, the /64 of an IPv6 address (what one
 * subscriber commonly holds), and `"unknown"` for what is no address.
 */
export function addressGroup(ip: string | null): string {
  if (typeof ip !== "string") return "unknown";
  const family = parseAddress(ip, 0, ip.length, groupWords);
  if (family === 0) return "unknown";
  if (family === 4) {
    const canonical = formatAddress(4, groupWords);
    return canonical === ip ? ip : canonical;
  }
  groupWords.fill(0, 2);
  return `${formatAddress(6, groupWords)}/64`;
}
