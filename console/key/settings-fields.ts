import type { Settings } from "../api/types.ts";
import { isDocument } from "../parts/document.ts";

export { isDocument };

/** Settings as a document: what is edited, compared and merged field by field. */
export type Document = Readonly<Record<string, unknown>>;

/** What the fields are called on the page, in the order of the page. */
export const FIELD_LABELS: Readonly<Record<string, string>> = {
  name: "Key name",
  enabled: "Enabled",
  allowRealtime: "Allow realtime",
  endpoints: "Endpoint access",
  expiresAt: "Expire date",
  domains: "Allowed domains",
  ips: "Allowed IPs",
  channels: "Channels",
  broadcastTo: "Broadcasts reach",
  limits: "Limits",
  metadata: "Metadata",
} satisfies Record<keyof Settings, string>;

export function labelOf(field: string): string {
  return FIELD_LABELS[field] ?? field;
}

/** Whether two values are the same JSON, whatever the order of members. */
export function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** The fields in which two documents differ, in the order of the page. */
export function changedFields(a: Document, b: Document): string[] {
  const names = new Set([...Object.keys(FIELD_LABELS), ...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => !isSame(a[name], b[name]));
}

/** The JSON Merge Patch (RFC 7396) that makes `after` of `before`. */
export function mergePatchOf(before: Document, after: Document): Record<string, unknown> {
  const patch: [string, unknown][] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [from, to] = [memberOf(before, name), memberOf(after, name)];
    if (isSame(from, to)) continue;
    if (to === undefined) patch.push([name, null]);
    else if (isDocument(from) && isDocument(to)) patch.push([name, mergePatchOf(from, to)]);
    else patch.push([name, to]);
  }
  return Object.fromEntries(patch);
}

/**
 * The members that are to be null where they were not, by their JSON pointers: in a merge patch null takes a member
 * off, so that none can say it. Within a list null is a value like any other.
 */
export function unpatchableNulls(before: Document, after: Document, pointer = ""): string[] {
  return Object.entries(after).flatMap(([name, to]) => {
    const from = memberOf(before, name);
    const at = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (isSame(from, to)) return [];
    if (to === null) return [at];
    return isDocument(to) ? unpatchableNulls(isDocument(from) ? from : {}, to, at) : [];
  });
}

export type Merge = {
  /** Changed here alone, there alone, and in both to different values. */
  readonly mine: readonly string[];
  readonly theirs: readonly string[];
  readonly both: readonly string[];
};

/** What two people made of the same settings. */
export function compareEdits(base: Document, mine: Document, theirs: Document): Merge {
  const changedByMe = changedFields(base, mine);
  const changedByThem = changedFields(base, theirs);
  const both = changedByMe.filter(
    (field) => changedByThem.includes(field) && !isSame(mine[field], theirs[field]),
  );
  return {
    mine: changedByMe.filter((field) => !changedByThem.includes(field)),
    theirs: changedByThem.filter((field) => !changedByMe.includes(field)),
    both,
  };
}

/** Their document with my value in these fields. */
export function mergedOf(mine: Document, theirs: Document, fieldsOfMine: readonly string[]): Document {
  const merged = Object.entries(theirs).filter(([name]) => !fieldsOfMine.includes(name));
  const kept = fieldsOfMine.filter((name) => mine[name] !== undefined).map((name) => [name, mine[name]]);
  return Object.fromEntries([...merged, ...kept]);
}

/** A member may be called like something that every object of JavaScript has. */
function memberOf(document: Document, name: string): unknown {
  return Object.hasOwn(document, name) ? document[name] : undefined;
}

function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_name, inner: unknown) =>
    isDocument(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
