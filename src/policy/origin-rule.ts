import { domainToASCII, domainToUnicode } from "node:url";
import { getPublicSuffix } from "tldts";
import { formatAddress, parseLiteral } from "./address.ts";
import { quote } from "./fault.ts";
import type { OriginKey, OriginKind } from "./origin.ts";

/** An authorized domain as kept and shown: `text` is canonical, `key` is what requests are compared with. */
export type OriginRule = OriginKey & { readonly text: string };

/** Schemes that no page or app has as its origin, each with what to write instead. */
const NOT_AN_ORIGIN: ReadonlyMap<string, string> = new Map([
  ["ws", "a WebSocket's origin is the page's: write http://…"],
  ["wss", "a WebSocket's origin is the page's: write https://…"],
  ["ftp", "only http, https and app schemes have origins"],
  ["file", "pages from files have the origin null, which cannot be authorized"],
  ["data", "such pages have the origin null, which cannot be authorized"],
  ["blob", "write the origin of the page that made it"],
  ["filesystem", "write the origin of the page that made it"],
  ["about", "such pages have the origin null, which cannot be authorized"],
  ["javascript", "this is not an origin"],
  ["mailto", "this is not an origin"],
  ["view-source", "this is not an origin"],
]);

/**
 * Parse one entry of `domains.list`, trimmed; returns the fault as text. With `publicSuffixes`, a wildcard over a name under
 * which anybody may register (ICANN and private suffixes) is a fault: a rule for writing, not for stored records.
 */
export function parseOriginRule(entry: string, publicSuffixes: boolean): OriginRule | string {
  return parsePlainRule(entry, publicSuffixes) ?? parseAnyRule(entry, publicSuffixes);
}

/** `https://` or `http://`, perhaps `*.`, and a name in its canonical form: at least two labels, the last begins with a letter. */
const PLAIN =
  /^https?:\/\/(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const PLAIN_MAX_CHARS = 250;

/**
 * What almost every entry of a long list is: it is its own canonical form, and costs a microsecond instead of ten. Undefined
 * for everything else, also for what may be a fault.
 */
function parsePlainRule(entry: string, publicSuffixes: boolean): OriginRule | undefined {
  if (entry.length > PLAIN_MAX_CHARS || !PLAIN.test(entry)) return undefined;
  if (entry.includes("xn--") || entry.endsWith(".localhost")) return undefined;
  const star = entry.indexOf("*.");
  if (star < 0) return { kind: "exact", key: entry, text: entry };
  const host = entry.slice(star + 2);
  if (publicSuffixes && isOpenToAnybody(host)) return undefined;
  return { kind: "subdomain", key: entry.slice(0, star) + host, text: entry };
}

function parseAnyRule(entry: string, publicSuffixes: boolean): OriginRule | string {
  const shown = quote(entry);
  if (entry === "*") return 'to authorize every origin, use the mode "all" instead of "*"';
  if (entry.toLowerCase() === "null") return '"null" is what opaque pages send and cannot be authorized';
  const colon = entry.indexOf("://");
  const written = colon < 0 ? null : entry.slice(0, colon).toLowerCase();
  if (written !== null && !isScheme(written)) return `"${shown}" has no valid scheme before ://`;
  const reason = written === null ? undefined : NOT_AN_ORIGIN.get(written);
  if (reason !== undefined) return `"${shown}" is no web origin: ${reason}`;

  const authority = colon < 0 ? entry : entry.slice(colon + 3);
  const stray = strayCharacterFault(authority, shown);
  if (stray !== null) return stray;
  const subdomain = authority.startsWith("*.");
  const split = splitPort(subdomain ? authority.slice(2) : authority);
  if (split === null) return `"${shown}" has more than one colon: write an IPv6 address as [2001:db8::1]`;
  if (split.host.includes("*")) {
    return `"${shown}" has a wildcard in the wrong place: only a whole left-most label can be one, as in https://*.example.com`;
  }
  const host = parseHost(split.host, shown);
  if (host.fault !== undefined) return host.fault;
  const scheme = written ?? (host.loopback ? "http" : "https");
  const isWeb = scheme === "http" || scheme === "https";
  const port = written === null && host.loopback && split.port === null ? "*" : split.port;
  if (port !== null && port !== "*" && !isPort(port)) return `"${shown}" has no valid port: write 1 to 65535`;
  if (port === "*" && !(host.loopback && isWeb)) {
    return `"${shown}" is open to any port, which only loopback hosts (localhost, 127.0.0.1, [::1]) may be: name the port`;
  }
  if (subdomain && !isWeb) return `"${shown}" has a wildcard, which only http and https origins may have`;
  if (subdomain && host.literal) return `"${shown}" has a wildcard before an address: list each address`;
  if (subdomain && publicSuffixes && NOBODYS_NAMES.has(host.text)) {
    return `"${shown}" is a wildcard over ${host.text}, which is no public suffix and belongs to nobody: every network gives out such names as it likes. List your own, such as https://*.yours.${host.text}`;
  }
  if (subdomain && publicSuffixes && !host.loopback && isOpenToAnybody(host.text)) {
    return `"${shown}" is a wildcard over a public suffix, where anybody can register a name: list your own, such as https://*.yours.${host.text}`;
  }
  return ruleOf(scheme, subdomain, host.text, isDefaultPort(scheme, port) ? null : port);
}

function ruleOf(scheme: string, subdomain: boolean, host: string, port: string | null): OriginRule {
  const anyPort = port === "*";
  const exactKind: OriginKind = anyPort ? "anyPort" : "exact";
  const kind = subdomain ? (anyPort ? "subdomainAnyPort" : "subdomain") : exactKind;
  const suffix = port === null ? "" : `:${port}`;
  return {
    kind,
    key: `${scheme}://${host}${anyPort ? "" : suffix}`,
    text: `${scheme}://${subdomain ? "*." : ""}${host}${suffix}`,
  };
}

/**
 * Names that no registry gives out: RFC 6761 (test, example, invalid), RFC 6762 (local), RFC 8375 (home.arpa), and ICANN's internal.
 * The public suffix list does not have them, but their owner is whoever runs a network.
 */
const NOBODYS_NAMES: ReadonlySet<string> = new Set([
  "internal",
  "test",
  "home.arpa",
  "local",
  "example",
  "invalid",
]);

function isDefaultPort(scheme: string, port: string | null): boolean {
  return (scheme === "http" && port === "80") || (scheme === "https" && port === "443");
}

function isScheme(text: string): boolean {
  if (text.length === 0 || text.length > 32) return false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text.charAt(i);
    if (character >= "a" && character <= "z") continue;
    const isRest = (character >= "0" && character <= "9") || "+-.".includes(character);
    if (i === 0 || !isRest) return false;
  }
  return true;
}

function strayCharacterFault(authority: string, shown: string): string | null {
  if (authority.includes("@")) return `"${shown}" has credentials: write only scheme://host[:port]`;
  if (authority.endsWith("/") && authority.indexOf("/") === authority.length - 1) {
    return `"${shown}" ends with a slash: leave it out`;
  }
  if (authority.includes("/") || authority.includes("\\")) return `"${shown}" has a path: leave it out`;
  if (authority.includes("?")) return `"${shown}" has a query: leave it out`;
  if (authority.includes("#")) return `"${shown}" has a fragment: leave it out`;
  return null;
}

function splitPort(authority: string): { host: string; port: string | null } | null {
  const bracket = authority.startsWith("[") ? authority.indexOf("]") : -1;
  const colon = authority.indexOf(":", bracket + 1);
  if (colon < 0) return { host: authority, port: null };
  if (authority.includes(":", colon + 1)) return null;
  return { host: authority.slice(0, colon), port: authority.slice(colon + 1) };
}

function isPort(text: string): boolean {
  return isDecimal(text) && !text.startsWith("0") && Number(text) <= 65535;
}

type Host =
  | {
      readonly text: string;
      readonly literal: boolean;
      readonly loopback: boolean;
      readonly fault?: undefined;
    }
  | { readonly fault: string };

/** Canonical host: an IPv4 or bracketed IPv6 address, or lower-case labels with punycode. */
function parseHost(name: string, shown: string): Host {
  if (name === "") return { fault: `"${shown}" has no host` };
  if (name.startsWith("[")) return parseBracketedHost(name, shown);
  if (name.endsWith(".")) return { fault: `"${shown}" ends with a dot: leave it out` };
  const converted = toAscii(name);
  if (converted === null) return { fault: `"${shown}" has no valid host name` };
  const text = converted;
  const labels = text.split(".");
  const last = labels.at(-1) ?? "";
  if (isDecimal(last) || last.startsWith("0x")) {
    const words = new Uint32Array(4);
    if (parseLiteral(text, 0, text.length, words) !== 4) {
      return {
        fault: `"${shown}" would be read as an IPv4 address: write its four decimal octets, without leading zeros`,
      };
    }
    return { text, literal: true, loopback: (words[0] ?? 0) >>> 24 === 127 };
  }
  return { text, literal: false, loopback: last === "localhost" };
}

function parseBracketedHost(name: string, shown: string): Host {
  const words = new Uint32Array(4);
  if (!name.endsWith("]") || parseLiteral(name, 1, name.length - 1, words) !== 6) {
    return { fault: `"${shown}" has no valid IPv6 address in its brackets` };
  }
  const text = formatAddress(6, words);
  return { text: `[${text}]`, literal: true, loopback: text === "::1" };
}

/**
 * Lower-case ASCII form of a host name, or null. The grammar is checked before and after `URL` sees it: `URL`
 * repairs, decodes and drops characters, and here nothing may change but case and Unicode labels to punycode.
 */
function toAscii(name: string): string | null {
  const labels = name.split(".");
  if (!labels.every((label) => isLabelText(label))) return null;
  const isAscii = labels.every((label) => isAsciiLabel(label));
  const lower = name.toLowerCase();
  if (isAscii && !lower.includes("xn--")) return name.length <= 253 ? lower : null;
  const url = `https://${name}`;
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  if (!labels.every((label) => decodes(label.toLowerCase()))) return null;
  if (isAscii) return host === lower && host.length <= 253 ? lower : null;
  const converted = host.split(".");
  const kept = labels.every((label, index) => {
    const result = converted[index] ?? "";
    return isAsciiLabel(label) ? result === label.toLowerCase() : result.startsWith("xn--");
  });
  const valid = converted.length === labels.length && converted.every((label) => isAsciiLabel(label));
  return kept && valid && host.length <= 253 ? host : null;
}

/** Whether punycode stands for a label, and is how that label is written. `URL` of newer Node versions takes any text for punycode. */
function decodes(label: string): boolean {
  if (!label.startsWith("xn--")) return true;
  const decoded = domainToUnicode(label);
  return decoded !== label && decoded !== "" && domainToASCII(decoded) === label;
}

/** A label as typed: ASCII letters, digits, `-`, `_`, or characters beyond ASCII (which `URL` must accept). */
function isLabelText(label: string): boolean {
  for (let i = 0; i < label.length; i += 1) {
    if (label.charCodeAt(i) < 0x80 && !isLabelCharacter(label.charAt(i))) return false;
  }
  return true;
}

function isAsciiLabel(label: string): boolean {
  for (let i = 0; i < label.length; i += 1) {
    if (!isLabelCharacter(label.charAt(i))) return false;
  }
  return label.length > 0 && label.length <= 63;
}

function isLabelCharacter(character: string): boolean {
  return (
    (character >= "a" && character <= "z") ||
    (character >= "A" && character <= "Z") ||
    (character >= "0" && character <= "9") ||
    character === "-" ||
    character === "_"
  );
}

function isDecimal(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charAt(i) < "0" || text.charAt(i) > "9") return false;
  }
  return text.length > 0;
}

/** Whether labels under this name belong to different people: it is a public suffix, or each of them is one. */
function isOpenToAnybody(host: string): boolean {
  const options = { allowPrivateDomains: true, extractHostname: false, validateHostname: false };
  const below = `any.${host}`;
  return getPublicSuffix(host, options) === host || getPublicSuffix(below, options) === below;
}
