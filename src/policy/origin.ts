const COLON = 0x3a;
const DOT = 0x2e;
const SLASH = 0x2f;
const PRIME = 0x01000193;

/** Longer text is no origin: scheme (32) + `://` + host (253) + port (6). */
const ORIGIN_MAX_CHARS = 300;
const SCHEME_MAX_CHARS = 32;

// Seeded per process, so that nobody can prepare origins that collide.
const seed = (Math.random() * 0x7fffffff) | 0;

// What the last scan found. Module variables, because returning a record would allocate.
let hostStart = 0;
let hostEnd = 0;
/** After the port; equal to `hostEnd` when there is none or it is the scheme's default. */
let originEnd = 0;
/** After the first dot of a name, or -1. */
let restStart = -1;
let hostHash = 0;
let originHash = 0;
let restHostHash = 0;
let restHash = 0;

/**
 * Scan a serialised origin: `scheme://host[:port]` and nothing else. The host is dot-separated labels of letters,
 * digits, `-` and `_` (1–63 characters, 253 in all), or an IPv6 address in brackets; the port 1–65535 without
 * leading zeros. Case does not count; a default port (80 for http, 443 for https) counts as none.
 */
function scan(text: string): boolean {
  const length = text.length;
  if (length > ORIGIN_MAX_CHARS) return false;
  let hash = seed;
  let i = 0;
  for (; i < length; i += 1) {
    const unit = lower(text.charCodeAt(i));
    if (unit === COLON) break;
    if (!isLetter(unit) && (i === 0 || !isSchemeRest(unit))) return false;
    hash = Math.imul(hash ^ unit, PRIME);
  }
  if (i === 0 || i > SCHEME_MAX_CHARS || i + 3 >= length) return false;
  if (text.charCodeAt(i + 1) !== SLASH || text.charCodeAt(i + 2) !== SLASH) return false;
  const defaultPort = defaultPortOf(text, i);
  hash = Math.imul(hash ^ SLASH, PRIME);
  hostStart = i + 3;
  restStart = -1;
  hostHash = hash;
  restHostHash = hash;
  if (!(text.charCodeAt(hostStart) === 0x5b ? scanBrackets(text, length) : scanName(text, length)))
    return false;
  originHash = hostHash;
  restHash = restHostHash;
  originEnd = hostEnd;
  return hostEnd === length || scanPort(text, length, defaultPort);
}

function scanName(text: string, length: number): boolean {
  const schemeHash = hostHash;
  let hash = hostHash;
  let restOfHash = hostHash;
  let labelStart = hostStart;
  let i = hostStart;
  for (; i < length; i += 1) {
    const unit = lower(text.charCodeAt(i));
    if (unit === COLON) break;
    hash = Math.imul(hash ^ unit, PRIME);
    if (unit === DOT) {
      if (i === labelStart || i - labelStart > 63) return false;
      labelStart = i + 1;
      if (restStart < 0) {
        restStart = i + 1;
        restOfHash = schemeHash;
      } else {
        restOfHash = Math.imul(restOfHash ^ unit, PRIME);
      }
    } else {
      if (!isLabelUnit(unit)) return false;
      restOfHash = Math.imul(restOfHash ^ unit, PRIME);
    }
  }
  if (i === labelStart || i - labelStart > 63 || i - hostStart > 253) return false;
  hostEnd = i;
  hostHash = hash;
  restHostHash = restOfHash;
  return true;
}

function scanBrackets(text: string, length: number): boolean {
  let hash = hostHash;
  for (let i = hostStart; i < length; i += 1) {
    const unit = lower(text.charCodeAt(i));
    hash = Math.imul(hash ^ unit, PRIME);
    if (unit === 0x5d) {
      hostEnd = i + 1;
      hostHash = hash;
      return i > hostStart + 2;
    }
    const isHex = (unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x66);
    if (!isHex && unit !== COLON && i > hostStart) return false;
  }
  return false;
}

function scanPort(text: string, length: number, defaultPort: number): boolean {
  if (text.charCodeAt(hostEnd) !== COLON) return false;
  const start = hostEnd + 1;
  if (start === length || length - start > 5 || text.charCodeAt(start) === 0x30) return false;
  let hash = Math.imul(hostHash ^ COLON, PRIME);
  let restOfHash = Math.imul(restHostHash ^ COLON, PRIME);
  let port = 0;
  for (let i = start; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x30 || unit > 0x39) return false;
    port = port * 10 + unit - 0x30;
    hash = Math.imul(hash ^ unit, PRIME);
    restOfHash = Math.imul(restOfHash ^ unit, PRIME);
  }
  if (port > 65535) return false;
  if (port === defaultPort) return true;
  originEnd = length;
  originHash = hash;
  restHash = restOfHash;
  return true;
}

function defaultPortOf(text: string, schemeLength: number): number {
  if (schemeLength < 4 || schemeLength > 5) return -1;
  const isHttp =
    lower(text.charCodeAt(0)) === 0x68 &&
    lower(text.charCodeAt(1)) === 0x74 &&
    lower(text.charCodeAt(2)) === 0x74 &&
    lower(text.charCodeAt(3)) === 0x70;
  if (!isHttp) return -1;
  if (schemeLength === 4) return 80;
  return lower(text.charCodeAt(4)) === 0x73 ? 443 : -1;
}

function lower(unit: number): number {
  return unit >= 0x41 && unit <= 0x5a ? unit | 0x20 : unit;
}

function isLetter(unit: number): boolean {
  return unit >= 0x61 && unit <= 0x7a;
}

function isSchemeRest(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || unit === 0x2b || unit === 0x2d || unit === DOT;
}

function isLabelUnit(unit: number): boolean {
  return isLetter(unit) || (unit >= 0x30 && unit <= 0x39) || unit === 0x2d || unit === 0x5f;
}

/** The canonical form of a serialised origin (lower case, default port removed), or null when it is none. */
export function canonicalOrigin(text: string): string | null {
  return typeof text === "string" && scan(text) ? text.slice(0, originEnd).toLowerCase() : null;
}

/**
 * How a rule covers origins. `exact`: itself. `subdomain`: exactly one whole label more on the left. `anyPort` and
 * `subdomainAnyPort`: the same for every port. `key` is the canonical text without `*.` and `:*`.
 */
export type OriginKind = "exact" | "subdomain" | "anyPort" | "subdomainAnyPort";
export type OriginKey = { readonly kind: OriginKind; readonly key: string };

/** Origin rules in hash tables: the cost of a look-up does not depend on their number. */
export class OriginSet {
  readonly #exact: OriginTable | null;
  readonly #subdomain: OriginTable | null;
  readonly #anyPort: OriginTable | null;
  readonly #subdomainAnyPort: OriginTable | null;

  constructor(keys: readonly OriginKey[]) {
    this.#exact = tableOf(keys, "exact");
    this.#subdomain = tableOf(keys, "subdomain");
    this.#anyPort = tableOf(keys, "anyPort");
    this.#subdomainAnyPort = tableOf(keys, "subdomainAnyPort");
  }

  /** Whether a request's Origin is covered. What is no serialised origin never is. Allocates nothing. */
  has(text: string): boolean {
    if (!scan(text)) return false;
    if (this.#exact?.has(originHash, text, hostStart, originEnd)) return true;
    if (this.#anyPort?.has(hostHash, text, hostStart, hostEnd)) return true;
    if (restStart < 0) return false;
    if (this.#subdomain?.has(restHash, text, restStart, originEnd)) return true;
    return this.#subdomainAnyPort?.has(restHostHash, text, restStart, hostEnd) === true;
  }
}

function tableOf(keys: readonly OriginKey[], kind: OriginKind): OriginTable | null {
  const chosen = keys.filter((one) => one.kind === kind);
  return chosen.length === 0 ? null : new OriginTable(chosen.map((one) => one.key));
}

/** Open addressing, at most half full; slots hold the place in `#keys` plus one. */
class OriginTable {
  readonly #keys: readonly string[];
  readonly #hashes: Int32Array;
  readonly #slots: Int32Array;

  constructor(keys: readonly string[]) {
    let size = 4;
    while (size < keys.length * 2) size *= 2;
    this.#keys = keys;
    this.#hashes = new Int32Array(keys.length);
    this.#slots = new Int32Array(size);
    for (const [index, key] of keys.entries()) {
      const hash = hashOf(key);
      this.#hashes[index] = hash;
      let slot = mix(hash) & (size - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = index + 1;
    }
  }

  /** Whether the origin made of the text before the host and `text[from, to)` is a key. */
  has(hash: number, text: string, from: number, to: number): boolean {
    const mask = this.#slots.length - 1;
    for (let slot = mix(hash) & mask; ; slot = (slot + 1) & mask) {
      const index = (this.#slots[slot] ?? 0) - 1;
      if (index < 0) return false;
      if (this.#hashes[index] === hash && isKey(this.#keys[index] ?? "", text, from, to)) return true;
    }
  }
}

function isKey(key: string, text: string, from: number, to: number): boolean {
  const prefix = hostStart;
  if (key.length !== prefix + to - from) return false;
  for (let i = 0; i < prefix; i += 1) {
    if (key.charCodeAt(i) !== lower(text.charCodeAt(i))) return false;
  }
  for (let i = from; i < to; i += 1) {
    if (key.charCodeAt(prefix + i - from) !== lower(text.charCodeAt(i))) return false;
  }
  return true;
}

/** The hash that a scan computes for the same canonical text. */
function hashOf(key: string): number {
  let hash = seed;
  const separator = key.indexOf("://");
  for (let i = 0; i < key.length; i += 1) {
    if (i === separator || i === separator + 1) continue;
    hash = Math.imul(hash ^ key.charCodeAt(i), PRIME);
  }
  return hash;
}

function mix(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return once ^ (once >>> 13);
}
