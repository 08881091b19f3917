const COLON = 0x3a;
const DOT = 0x2e;
const SLASH = 0x2f;
const PRIME = 0x01000193;

/** Longer text is no origin: scheme (32) + `://` + host (253) + port (6). */
const ORIGIN_MAX_CHARS = 300;
const SCHEME_MAX_CHARS = 32;
const HOST_MAX_CHARS = 253;
const LABEL_MAX_CHARS = 63;

// Seeded per process, so that nobody can prepare origins that collide.
const SEED = (Math.random() * 0x7fffffff) | 0;

/**
 * Scans a serialised origin: `scheme://host[:port]` and nothing else. The host is dot-separated labels of letters,
 * digits, `-` and `_`, or an IPv6 address in brackets; the port is 1 to 65535 without leading zeros. Case does not
 * count, and a default port (80 for http, 443 for https) counts as none. One object is used again and again, so that
 * a scan allocates nothing; it reads each character once and hashes the canonical form as it goes.
 */
export class OriginScan {
  hostStart = 0;
  hostEnd = 0;
  /** After the port; equal to `hostEnd` when there is none or it is the scheme's default. */
  end = 0;
  /** After the first dot of a name, or -1. */
  restStart = -1;
  /** Whether the text is its own canonical form, as browsers send it. */
  isCanonical = false;
  /** Hashes of scheme and host, and of scheme and what follows the first dot. */
  hostHash = 0;
  restHostHash = 0;
  /** The same with the port. */
  originHash = 0;
  restHash = 0;

  run(text: string): boolean {
    const length = text.length;
    if (length > ORIGIN_MAX_CHARS) return false;
    this.isCanonical = true;
    const schemeEnd = this.#scanScheme(text, length);
    if (schemeEnd < 1 || schemeEnd + 3 >= length) return false;
    if (text.charCodeAt(schemeEnd + 1) !== SLASH || text.charCodeAt(schemeEnd + 2) !== SLASH) return false;
    this.hostStart = schemeEnd + 3;
    this.restStart = -1;
    const isLiteral = text.charCodeAt(this.hostStart) === 0x5b;
    if (!(isLiteral ? this.#scanBrackets(text, length) : this.#scanName(text, length))) return false;
    let port = 0;
    this.end = length;
    if (this.hostEnd < length) {
      port = parsePort(text, this.hostEnd, length);
      if (port < 0) return false;
      if (port === defaultPortOf(text, schemeEnd)) {
        port = 0;
        this.end = this.hostEnd;
        this.isCanonical = false;
      }
    }
    this.originHash = Math.imul(this.hostHash ^ port, PRIME);
    this.restHash = Math.imul(this.restHostHash ^ port, PRIME);
    return true;
  }

  /** The end of the scheme, or -1; leaves its hash in `hostHash`. */
  #scanScheme(text: string, length: number): number {
    let hash = SEED;
    for (let i = 0; i < length && i <= SCHEME_MAX_CHARS; i += 1) {
      let unit = text.charCodeAt(i);
      if (unit < 0x61 || unit > 0x7a) {
        if (unit === COLON) {
          this.hostHash = hash;
          return i;
        }
        if (unit >= 0x41 && unit <= 0x5a) {
          unit |= 0x20;
          this.isCanonical = false;
        } else if (i === 0 || !isSchemeRest(unit)) {
          return -1;
        }
      }
      hash = Math.imul(hash ^ unit, PRIME);
    }
    return -1;
  }

  #scanName(text: string, length: number): boolean {
    const schemeHash = this.hostHash;
    let hash = schemeHash;
    let labelHash = 0;
    let labelStart = this.hostStart;
    let i = labelStart;
    for (; i < length; i += 1) {
      let unit = text.charCodeAt(i);
      if (unit < 0x61 || unit > 0x7a) {
        if (unit === COLON) break;
        if (unit === DOT) {
          if (i === labelStart || i - labelStart > LABEL_MAX_CHARS) return false;
          labelStart = i + 1;
          if (this.restStart < 0) {
            this.restStart = labelStart;
            labelHash = hash;
            hash = schemeHash;
            continue;
          }
        } else if (unit >= 0x41 && unit <= 0x5a) {
          unit |= 0x20;
          this.isCanonical = false;
        } else if (!isLabelRest(unit)) {
          return false;
        }
      }
      hash = Math.imul(hash ^ unit, PRIME);
    }
    const isLabel = i > labelStart && i - labelStart <= LABEL_MAX_CHARS;
    if (!isLabel || i - this.hostStart > HOST_MAX_CHARS) return false;
    this.hostEnd = i;
    this.restHostHash = hash;
    this.hostHash = Math.imul(hash ^ labelHash, PRIME);
    return true;
  }

  #scanBrackets(text: string, length: number): boolean {
    let hash = this.hostHash;
    for (let i = this.hostStart + 1; i < length; i += 1) {
      let unit = text.charCodeAt(i);
      if (unit === 0x5d) {
        this.hostEnd = i + 1;
        this.hostHash = Math.imul(hash, PRIME);
        return i > this.hostStart + 2;
      }
      if (unit >= 0x41 && unit <= 0x46) {
        unit |= 0x20;
        this.isCanonical = false;
      }
      const isHex = (unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x66);
      if (!isHex && unit !== COLON) return false;
      hash = Math.imul(hash ^ unit, PRIME);
    }
    return false;
  }
}

/** The port after the colon at `start`: 1 to 65535 without leading zeros, or -1. */
function parsePort(text: string, start: number, length: number): number {
  if (text.charCodeAt(start) !== COLON || length - start > 6) return -1;
  let port = 0;
  for (let i = start + 1; i < length; i += 1) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9 || (digit === 0 && port === 0)) return -1;
    port = port * 10 + digit;
  }
  return port > 0 && port <= 65535 ? port : -1;
}

function defaultPortOf(text: string, schemeLength: number): number {
  if (!isHttpAt(text)) return -1;
  if (schemeLength === 4) return 80;
  return schemeLength === 5 && (text.charCodeAt(4) | 0x20) === 0x73 ? 443 : -1;
}

/** Only for text that is known to begin with scheme characters: there, `| 0x20` lowers letters alone. */
function isHttpAt(text: string): boolean {
  return (
    (text.charCodeAt(0) | 0x20) === 0x68 &&
    (text.charCodeAt(1) | 0x20) === 0x74 &&
    (text.charCodeAt(2) | 0x20) === 0x74 &&
    (text.charCodeAt(3) | 0x20) === 0x70
  );
}

function isSchemeRest(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || unit === 0x2b || unit === 0x2d || unit === DOT;
}

function isLabelRest(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || unit === 0x2d || unit === 0x5f;
}
