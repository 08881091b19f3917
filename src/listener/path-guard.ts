/** What is wrong with a request target, or undefined when it can be read in one way only. */
export type TargetFault =
  | "not a path"
  | "a character that no target has"
  | "a fragment"
  | "a semicolon"
  | "an empty segment"
  | "a dot segment"
  | "a backslash"
  | "an encoded slash or backslash"
  | "an encoded NUL"
  | "a bad percent-encoding"
  | "bad UTF-8";

/**
 * What nearly every target is: segments that begin with a letter, a digit or `_` and have nothing else but `.` and `-`, and a
 * query without a fragment. No such spelling has a fault. Linear: `/` is in no segment, `?` in no path.
 */
const PLAIN_TARGET = /^(?:\/\w[\w.-]*)+\/?(?:\?[!"$-~]*)?$/;

/**
 * Look for spellings that two readers of one request target could take for two different paths. Routers, proxies
 * and applications disagree about them, and deny lists fall to the difference (`%2e%2e`, `//`, `;x`, `\`).
 * Only the path is judged; in the query anything goes but a fragment. Linear in the length of the target.
 *
 * Sources: RFC 3986 sections 3.3 and 5.2.4, RFC 9110 section 7.1, CWE-22, CWE-436.
 */
export function targetFault(target: string): TargetFault | undefined {
  if (PLAIN_TARGET.test(target)) return undefined;
  if (!target.startsWith("/")) return "not a path";
  if (target.includes("#")) return "a fragment";
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  for (let i = 0; i < target.length; i += 1) {
    const unit = target.charCodeAt(i);
    if (unit <= 0x20 || unit >= 0x7f) return "a character that no target has";
  }
  if (path.includes(";")) return "a semicolon";
  if (path.includes("\\")) return "a backslash";
  const segments = path.slice(1).split("/");
  for (const [index, segment] of segments.entries()) {
    // The last one may be empty: that is a trailing slash, which every router reads alike.
    if (segment === "" && index < segments.length - 1) return "an empty segment";
    const fault = segment.includes("%") ? encodingFault(segment) : dotFault(segment);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function dotFault(segment: string): TargetFault | undefined {
  return segment === "." || segment === ".." ? "a dot segment" : undefined;
}

function encodingFault(segment: string): TargetFault | undefined {
  for (let at = segment.indexOf("%"); at !== -1; at = segment.indexOf("%", at + 3)) {
    const code = segment.slice(at + 1, at + 3).toLowerCase();
    if (code.length < 2 || !isHex(code.charCodeAt(0)) || !isHex(code.charCodeAt(1)))
      return "a bad percent-encoding";
    if (code === "2f" || code === "5c") return "an encoded slash or backslash";
    if (code === "00") return "an encoded NUL";
  }
  try {
    return dotFault(decodeURIComponent(segment));
  } catch {
    return "bad UTF-8";
  }
}

function isHex(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x66);
}
