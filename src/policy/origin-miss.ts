import { quote } from "./fault.ts";
import { canonicalOrigin } from "./origin.ts";

const MISSES_MAX = 3;

/**
 * Why the nearest rules do not cover an origin, each as a question and its answer. `list` holds canonical rules; one
 * pass over it.
 */
export function originMisses(list: readonly string[], origin: string): string[] {
  const canonical = canonicalOrigin(origin);
  if (canonical === null) return [];
  const given = partsOf(canonical);
  const misses: string[] = [];
  for (const rule of list) {
    if (misses.length === MISSES_MAX) break;
    const reason = missReason(given, partsOf(rule));
    if (reason !== null) misses.push(`origin ${quote(origin)} is under ${quote(rule)}? no: ${reason}`);
  }
  return misses;
}

type Parts = { readonly scheme: string; readonly host: string; readonly port: string };

function partsOf(text: string): Parts {
  const hostStart = text.indexOf("://") + 3;
  const colon = text.indexOf(":", text.indexOf("]", hostStart) + 1 || hostStart);
  return {
    scheme: text.slice(0, hostStart - 3),
    host: text.slice(hostStart, colon < 0 ? text.length : colon),
    port: colon < 0 ? "" : text.slice(colon + 1),
  };
}

/** Why a rule that is known not to cover does not; null when it is about another name. */
function missReason(given: Parts, rule: Parts): string | null {
  const isWildcard = rule.host.startsWith("*.");
  const name = isWildcard ? rule.host.slice(2) : rule.host;
  const isBelow = given.host.endsWith(`.${name}`);
  if (given.host !== name && !isBelow) return null;
  if (isWildcard && !isBelow) return "the wildcard stands for exactly one label, never for the name itself";
  if (isWildcard && given.host.slice(0, -name.length - 1).includes(".")) {
    return "the wildcard stands for exactly one label";
  }
  if (!isWildcard && isBelow) return "the rule is for the name itself, not for names below it";
  if (given.scheme !== rule.scheme) return `the scheme is ${given.scheme}, not ${rule.scheme}`;
  return `the port is ${portText(given)}, not ${portText(rule)}`;
}

function portText(parts: Parts): string {
  if (parts.port !== "") return parts.port;
  if (parts.scheme === "http") return "80";
  return parts.scheme === "https" ? "443" : "none";
}
