import type { Fault } from "./fault.ts";
import { quote } from "./fault.ts";
import type { EndpointMode, Settings } from "./settings.ts";

/** An endpoint that the application declared, with its path as written there (without the prefix). */
export type DeclaredEndpoint = { readonly id: string; readonly method: string; readonly path: string };

const METHODS = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** An entry of `endpoints.list`, canonical: an id, or a method and a declared path. */
export type EndpointEntry =
  | { readonly text: string; readonly id: string }
  | { readonly text: string; readonly id: null; readonly method: string; readonly path: string };

/** Parse one entry: an endpoint's id or `METHOD /path`. Returns the fault as text. */
export function parseEndpointEntry(entry: string): EndpointEntry | string {
  const space = entry.indexOf(" ");
  if (space < 0) {
    if (isEndpointId(entry)) return { text: entry, id: entry };
    const shown = quote(entry);
    if (entry.startsWith("/")) return `"${shown}" has no method: write "GET ${shown}"`;
    return `"${shown}" is no endpoint id (1 to 128 of letters, digits and . _ - : ~) and no "METHOD /path"`;
  }
  const method = entry.slice(0, space).toUpperCase();
  const path = entry.slice(space + 1);
  if (method === "HEAD") return `"${quote(entry)}": HEAD follows GET: write "GET ${quote(path)}"`;
  if (!METHODS.has(method)) {
    return `"${quote(entry)}" has no known method: write one of ${[...METHODS].join(", ")}`;
  }
  const fault = pathFault(path);
  return fault === null
    ? { text: `${method} ${path}`, id: null, method, path }
    : `"${quote(entry)}" ${fault}`;
}

function isEndpointId(text: string): boolean {
  if (text.length > 128) return false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text.charAt(i);
    const isWord =
      (character >= "a" && character <= "z") ||
      (character >= "A" && character <= "Z") ||
      (character >= "0" && character <= "9");
    if (!isWord && !"._-:~".includes(character)) return false;
  }
  return true;
}

function pathFault(path: string): string | null {
  if (!path.startsWith("/")) return "has a path that does not begin with /";
  if (path.includes("?") || path.includes("#")) return "has a query or fragment: write the path as declared";
  if (path.includes("\\") || path.includes("//")) return "has an ambiguous path: write the path as declared";
  return /\s/.test(path) ? "has white space in its path: write the path as declared" : null;
}

/** Which declared endpoints a key may call; compared by id or by method and declared path, never by URL text. */
export class EndpointRules {
  readonly mode: EndpointMode;
  readonly #ids = new Set<string>();
  readonly #paths = new Map<string, Set<string>>();

  constructor(mode: EndpointMode, entries: readonly EndpointEntry[]) {
    this.mode = mode;
    for (const entry of entries) {
      if (entry.id !== null) {
        this.#ids.add(entry.id);
        continue;
      }
      const paths = this.#paths.get(entry.method) ?? new Set<string>();
      paths.add(entry.path);
      this.#paths.set(entry.method, paths);
    }
  }

  allows(endpoint: DeclaredEndpoint): boolean {
    switch (this.mode) {
      case "full-access":
        return true;
      case "custom-allowed":
        return this.lists(endpoint);
      case "custom-excluded":
        return !this.lists(endpoint);
      default:
        return false;
    }
  }

  /** Whether the list names this endpoint. HEAD follows GET. Allocates nothing. */
  lists(endpoint: DeclaredEndpoint): boolean {
    if (this.#ids.has(endpoint.id)) return true;
    const method = endpoint.method === "HEAD" ? "GET" : endpoint.method;
    return this.#paths.get(method)?.has(endpoint.path) === true;
  }
}

/**
 * Compare the list with what the application declares. A fault: an entry that only falls under a declared pattern
 * (`GET /files/*`, `GET /orders/:id`), because decisions are about declared endpoints, so it would never be compared
 * with anything. A warning: an entry that matches nothing declared (yet), and, in a mode that ignores the list, what
 * would otherwise be a fault.
 */
export function checkEndpointEntries(
  settings: Pick<Settings, "endpoints">,
  declared: readonly DeclaredEndpoint[],
): { faults: Fault[]; warnings: Fault[] } {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const ids = new Set(declared.map((one) => one.id));
  const routes = new Set(declared.map((one) => routeOf(one)));
  const { mode, list } = settings.endpoints;
  const used = mode === "custom-allowed" || mode === "custom-excluded";
  for (const [index, text] of list.entries()) {
    const entry = parseEndpointEntry(text);
    if (typeof entry === "string") continue; // parseSettings names it
    const pointer = `/endpoints/list/${index}`;
    const shown = quote(entry.text);
    if (entry.id === null ? routes.has(entry.text) : ids.has(entry.id)) continue;
    const above = entry.id === null ? declared.find((one) => isBelow(entry.method, entry.path, one)) : null;
    if (above === undefined || above === null) {
      warnings.push({ pointer, message: `no declared endpoint is "${shown}": it has no effect yet` });
    } else {
      const message = `"${shown}" falls under "${quote(routeOf(above))}" without being declared itself: declare it as an endpoint`;
      (used ? faults : warnings).push({ pointer, message });
    }
  }
  return { faults, warnings };
}

function routeOf(endpoint: DeclaredEndpoint): string {
  return `${endpoint.method === "HEAD" ? "GET" : endpoint.method} ${endpoint.path}`;
}

/** Whether a router would give this path, which is not the pattern itself, to the pattern: `:name` takes one segment, a final `*` the rest. */
function isBelow(method: string, path: string, pattern: DeclaredEndpoint): boolean {
  if (method !== (pattern.method === "HEAD" ? "GET" : pattern.method)) return false;
  const wanted = pattern.path.split("/");
  const given = path.split("/");
  for (const [index, segment] of wanted.entries()) {
    const star = segment.indexOf("*");
    if (star >= 0) return given[index]?.startsWith(segment.slice(0, star)) === true;
    const actual = given[index];
    if (actual === undefined) return false;
    const parameter = segment.indexOf(":");
    const matches =
      parameter < 0
        ? actual === segment
        : actual.startsWith(segment.slice(0, parameter)) && actual.length > parameter;
    if (!matches) return false;
  }
  return given.length === wanted.length;
}
