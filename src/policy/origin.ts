import { OriginScan } from "./origin-scan.ts";

const scan = new OriginScan();

/** The canonical form of a serialised origin (lower case, default port removed), or null when it is none. */
export function canonicalOrigin(text: string): string | null {
  return typeof text === "string" && scan.run(text) ? text.slice(0, scan.end).toLowerCase() : null;
}

/**
 * How a rule covers origins. `exact`: itself. `subdomain`: exactly one whole label more on the left. `anyPort` and
 * `subdomainAnyPort`: the same for every port. `key` is the canonical text without `*.` and `:*`; the subdomain
 * kinds are for http and https names only.
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
    if (!scan.run(text)) return false;
    const { hostStart, hostEnd, restStart, end } = scan;
    if (this.#exact?.has(scan.originHash, text, hostStart, end)) return true;
    if (restStart >= 0 && this.#subdomain?.has(scan.restHash, text, restStart, end)) return true;
    if (this.#anyPort?.has(scan.hostHash, text, hostStart, hostEnd)) return true;
    return (
      restStart >= 0 && this.#subdomainAnyPort?.has(scan.restHostHash, text, restStart, hostEnd) === true
    );
  }
}

function tableOf(keys: readonly OriginKey[], kind: OriginKind): OriginTable | null {
  const chosen = keys.filter((one) => one.kind === kind);
  return chosen.length === 0
    ? null
    : new OriginTable(
        kind,
        chosen.map((one) => one.key),
      );
}

/** The hash that the scan of a covered origin computes. */
function hashOf(kind: OriginKind, key: string): number {
  const isSubdomain = kind === "subdomain" || kind === "subdomainAnyPort";
  scan.run(isSubdomain ? key.replace("://", "://any.") : key);
  if (kind === "exact") return scan.originHash;
  if (kind === "subdomain") return scan.restHash;
  return kind === "anyPort" ? scan.hostHash : scan.restHostHash;
}

/** Open addressing, at most half full; a slot holds the place in the lists plus one. */
class OriginTable {
  readonly #keys: readonly string[];
  /** The keys without scheme and `://`. */
  readonly #hosts: readonly string[];
  readonly #hashes: Int32Array;
  readonly #slots: Int32Array;

  constructor(kind: OriginKind, keys: readonly string[]) {
    let size = 4;
    while (size < keys.length * 2) size *= 2;
    this.#keys = flatten(keys);
    this.#hosts = flatten(keys.map((key) => key.slice(key.indexOf("://") + 3)));
    this.#hashes = new Int32Array(keys.length);
    this.#slots = new Int32Array(size);
    for (const [index, key] of keys.entries()) {
      const hash = hashOf(kind, key);
      this.#hashes[index] = hash;
      let slot = mix(hash) & (size - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      this.#slots[slot] = index + 1;
    }
  }

  /** Whether the origin made of the scheme of the scanned `text` and `text[from, to)` is a key. */
  has(hash: number, text: string, from: number, to: number): boolean {
    const mask = this.#slots.length - 1;
    for (let slot = mix(hash) & mask; ; slot = (slot + 1) & mask) {
      const index = (this.#slots[slot] ?? 0) - 1;
      if (index < 0) return false;
      if (this.#hashes[index] === hash && this.#isKey(index, text, from, to)) return true;
    }
  }

  /** Hashes may collide, so the text decides. Canonical text is compared by the engine's own fast functions. */
  #isKey(index: number, text: string, from: number, to: number): boolean {
    const key = this.#keys[index] ?? "";
    const prefix = scan.hostStart;
    if (key.length !== prefix + to - from) return false;
    if (!scan.isCanonical || to < text.length) return isSame(key, text, prefix, from, to);
    if (from === prefix) return key === text;
    return text.endsWith(this.#hosts[index] ?? "") && isSame(key, text, prefix, to, to);
  }
}

/** Copies in one piece: what was joined or sliced is a rope to the engine, with more memory to visit per comparison. */
function flatten(texts: readonly string[]): string[] {
  const copies: unknown = JSON.parse(JSON.stringify(texts));
  return Array.isArray(copies) ? copies.map((copy) => String(copy)) : [];
}

/** Whether `key` is `text[0, prefix)` and `text[from, to)` in lower case. */
function isSame(key: string, text: string, prefix: number, from: number, to: number): boolean {
  for (let i = 0; i < prefix; i += 1) {
    if (key.charCodeAt(i) !== lower(text.charCodeAt(i))) return false;
  }
  for (let i = from; i < to; i += 1) {
    if (key.charCodeAt(prefix + i - from) !== lower(text.charCodeAt(i))) return false;
  }
  return true;
}

function lower(unit: number): number {
  return unit >= 0x41 && unit <= 0x5a ? unit | 0x20 : unit;
}

function mix(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return once ^ (once >>> 13);
}
