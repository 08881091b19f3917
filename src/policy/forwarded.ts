import { type Family, formatAddress, parseAddress } from "./address.ts";
import { type Fault, PolicyError } from "./fault.ts";
import { type Network, NetworkSet, parseNetwork } from "./network.ts";

/** The part of a connection or request that tells its address. Header names are in lower case, as Node gives them. */
export type Peer = {
  readonly remoteAddress: string | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};
export type ForwardedHeader = "x-forwarded-for" | "forwarded" | "x-real-ip";
/** Who may speak for clients: addresses and CIDR ranges of proxies, and the one header that they set. */
export type Trust = { readonly proxies: readonly string[]; readonly header?: ForwardedHeader | undefined };

/**
 * Why there is no address. `no_peer`: the peer's own is not known (a Unix socket). `undeclared_proxy`: a loopback peer
 * that is not trusted sends forwarding headers. `other_header`: a trusted proxy sends forwarding headers, but not the
 * configured one. `malformed`: the configured header cannot be read, or hides the client.
 */
export type AddressFault = "no_peer" | "undeclared_proxy" | "other_header" | "malformed";
export type ClientAddress =
  | { readonly address: string; readonly fault: null }
  | { readonly address: null; readonly fault: AddressFault };
export type AddressResolver = (peer: Peer) => ClientAddress;

const PROXIES_MAX_ITEMS = 10_000;
const HEADERS: readonly ForwardedHeader[] = ["x-forwarded-for", "forwarded", "x-real-ip"];

/**
 * The client's address as canonical text, or null when it is not known. Never throws; a `trust` that cannot be read
 * gives null. Compiles `trust` anew: servers keep a {@link createAddressResolver}.
 */
export function clientAddress(peer: Peer, trust: Trust): string | null {
  try {
    return createAddressResolver(trust)(peer).address;
  } catch {
    return null;
  }
}

/**
 * Compile `trust` once.
 *
 * The address is the peer's, unless the peer is a trusted proxy: then the configured header is walked from the right,
 * past trusted hops, to the first that is not trusted. What lies left of it is the client's own text and is not read.
 * When every hop is trusted, the left-most is the client; a trusted proxy that sends no forwarding header at
 * all is the client itself. A zone of the peer's own address (`fe80::1%eth0`) is left out.
 *
 * @throws {PolicyError} pointing into `trust`
 */
export function createAddressResolver(trust: Trust): AddressResolver {
  const { proxies, header } = compileTrust(trust);
  return (peer) => {
    try {
      return resolve(peer, proxies, header);
    } catch {
      return unknown("malformed");
    }
  };
}

/** @throws {PolicyError} pointing into `trust` */
function compileTrust(trust: Trust): { proxies: NetworkSet; header: ForwardedHeader } {
  const { entries, wanted } = readTrust(trust);
  const faults: Fault[] = [];
  const networks: Network[] = [];
  for (const [index, entry] of entries.entries()) {
    const network = typeof entry === "string" ? parseNetwork(entry.trim()) : "must be a string";
    if (typeof network === "string") faults.push({ pointer: `/proxies/${index}`, message: network });
    else networks.push(network);
  }
  const header = HEADERS.find((one) => one === wanted);
  if (header === undefined) {
    faults.push({ pointer: "/header", message: `must be one of ${HEADERS.join(", ")}` });
  }
  if (faults.length > 0 || header === undefined) throw new PolicyError(faults);
  return { proxies: new NetworkSet(networks), header };
}

function readTrust(trust: Trust): { entries: readonly unknown[]; wanted: unknown } {
  try {
    const { proxies, header } = trust;
    if (Array.isArray(proxies) && proxies.length <= PROXIES_MAX_ITEMS)
      return { entries: Array.from(proxies), wanted: header ?? "x-forwarded-for" };
  } catch {
    // Named below.
  }
  throw new PolicyError([
    { pointer: "/proxies", message: `must be an array of at most ${PROXIES_MAX_ITEMS} addresses and ranges` },
  ]);
}

const words = new Uint32Array(4);

function resolve(peer: Peer, proxies: NetworkSet, header: ForwardedHeader): ClientAddress {
  const remote = peer.remoteAddress;
  if (typeof remote !== "string") return unknown("no_peer");
  const zone = remote.indexOf("%");
  const family = parseAddress(remote, 0, zone < 0 ? remote.length : zone, words);
  if (family === 0) return unknown("no_peer");
  const own = formatAddress(family, words);
  const forwards = HEADERS.some((name) => peer.headers[name] !== undefined);
  if (!proxies.contains(family, words)) {
    return forwards && isLoopback(family, words) ? unknown("undeclared_proxy") : known(own);
  }
  const value = peer.headers[header];
  if (value === undefined) return forwards ? unknown("other_header") : known(own);
  const line = Array.isArray(value) ? value.join(",") : value;
  if (typeof line !== "string") return unknown("malformed");
  const address = header === "x-real-ip" ? parseSingle(line) : walk(line, header, proxies);
  return address === null ? unknown("malformed") : known(address);
}

function known(address: string): ClientAddress {
  return { address, fault: null };
}

function unknown(fault: AddressFault): ClientAddress {
  return { address: null, fault };
}

function isLoopback(family: Family, address: Uint32Array): boolean {
  if (family === 4) return (address[0] ?? 0) >>> 24 === 127;
  return address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] === 1;
}

/** From the right past trusted hops to the first that is not; each part of the line is looked at once. */
function walk(line: string, header: ForwardedHeader, proxies: NetworkSet): string | null {
  const isForwarded = header === "forwarded";
  let end = line.length;
  for (;;) {
    const comma = isForwarded ? lastCommaOutsideQuotes(line, end) : lastComma(line, end);
    const part = withoutBlanks(line.slice(comma + 1, end));
    const hop = isForwarded ? forwardedFor(part) : part;
    const address = hop === null ? null : parseNode(hop, isForwarded);
    if (address === null || comma < 0) return address;
    if (!proxies.contains(parseAddress(address, 0, address.length, words), words)) return address;
    end = comma;
  }
}

function lastComma(line: string, end: number): number {
  return end === 0 ? -1 : line.lastIndexOf(",", end - 1);
}

/** Optional white space of HTTP is space and tab; `trim` would also take a no-break space. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (isBlank(text.charCodeAt(start))) start += 1;
  while (isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09;
}

/**
 * The right-most comma before `end` that no quoted string holds, or -1. Read from the right, so that an unclosed
 * quote in the client's own text cannot swallow what a proxy appended. An escaped quote has an odd number of
 * backslashes before it.
 */
function lastCommaOutsideQuotes(line: string, end: number): number {
  let quoted = false;
  for (let i = end - 1; i >= 0; i -= 1) {
    const character = line.charAt(i);
    if (character === "," && !quoted) return i;
    if (character !== '"') continue;
    let before = i;
    while (line.charAt(before - 1) === "\\") before -= 1;
    if (!quoted || (i - before) % 2 === 0) quoted = !quoted;
    i = before;
  }
  return -1;
}

/**
 * The unquoted value of `for` in one forwarded-element (RFC 7239, section 4: pairs between semicolons, which may be
 * empty, no white space, no parameter twice), or null when it is not well-formed or there is none.
 */
function forwardedFor(element: string): string | null {
  const names = new Set<string>();
  let node: string | null = null;
  for (let i = 0; i < element.length; i += 1) {
    if (element.charAt(i) === ";") continue;
    const equals = element.indexOf("=", i);
    if (equals < 0) return null;
    const name = element.slice(i, equals).toLowerCase();
    if (!isToken(name) || names.has(name)) return null;
    names.add(name);
    const start = equals + 1;
    const isQuoted = element.charAt(start) === '"';
    const end = isQuoted ? closingQuote(element, start + 1) : endOfToken(element, start);
    if (end < 0) return null;
    const value = isQuoted ? unquote(element.slice(start + 1, end)) : element.slice(start, end);
    if (!isQuoted && !isToken(value)) return null;
    if (name === "for") node = value;
    i = isQuoted ? end + 1 : end;
    if (i < element.length && element.charAt(i) !== ";") return null;
  }
  return node;
}

function endOfToken(text: string, start: number): number {
  const semicolon = text.indexOf(";", start);
  return semicolon < 0 ? text.length : semicolon;
}

function closingQuote(text: string, start: number): number {
  for (let i = start; i < text.length; i += 1) {
    const character = text.charAt(i);
    if (character === '"') return i;
    if (character === "\\") i += 1;
  }
  return -1;
}

function unquote(quoted: string): string {
  let out = "";
  for (let i = 0; i < quoted.length; i += 1) {
    if (quoted.charAt(i) === "\\") i += 1;
    out += quoted.charAt(i);
  }
  return out;
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (!isAlphanumeric(unit) && !"!#$%&'*+-.^_`|~".includes(text.charAt(i))) return false;
  }
  return text.length > 0;
}

function isAlphanumeric(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a);
}

/** Address of one hop: `a.b.c.d[:port]`, `[v6][:port]` or, except in Forwarded, a bare IPv6 address. */
function parseNode(hop: string, isForwarded: boolean): string | null {
  if (hop.startsWith("[")) {
    const bracket = hop.indexOf("]");
    const isIPv6 = hop.slice(0, bracket + 1).includes(":");
    return isIPv6 && isPortSuffix(hop, bracket + 1) ? parseHop(hop, 1, bracket) : null;
  }
  const colon = hop.indexOf(":");
  if (colon < 0) return parseHop(hop, 0, hop.length);
  if (hop.includes(":", colon + 1)) return isForwarded ? null : parseHop(hop, 0, hop.length);
  return isPortSuffix(hop, colon) ? parseHop(hop, 0, colon) : null;
}

function parseHop(text: string, start: number, end: number): string | null {
  const family = parseAddress(text, start, end, words);
  return family === 0 ? null : formatAddress(family, words);
}

function parseSingle(line: string): string | null {
  const text = withoutBlanks(line);
  return parseHop(text, 0, text.length);
}

/** Nothing, or a colon and a port: 1 to 5 digits up to 65535, or an obfuscated one (`_abc`). */
function isPortSuffix(text: string, start: number): boolean {
  if (start === text.length) return true;
  const port = text.slice(start + 1);
  if (text.charAt(start) !== ":" || port === "") return false;
  const obfuscated = port.startsWith("_");
  for (let i = obfuscated ? 1 : 0; i < port.length; i += 1) {
    const unit = port.charCodeAt(i);
    const isDigit = unit >= 0x30 && unit <= 0x39;
    if (!isDigit && !(obfuscated && (isAlphanumeric(unit) || "._-".includes(port.charAt(i))))) return false;
  }
  return obfuscated ? port.length > 1 : port.length <= 5 && Number(port) <= 65535;
}
