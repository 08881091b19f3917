import type { Fault } from "../policy/index.ts";

/** Members that would reach into JavaScript's objects: refused wherever they stand. */
const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Deeper than any settings. */
export const MAX_PATCH_DEPTH = 50;

type JsonObject = { readonly [name: string]: unknown };

/** Apply a JSON Merge Patch (RFC 7396): null removes, objects merge, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** Every member of a patch that may not be in one, by its JSON pointer (RFC 6901). */
export function forbiddenMembers(patch: unknown, pointer = ""): Fault[] {
  if (Array.isArray(patch))
    return patch.flatMap((item, index) => forbiddenMembers(item, `${pointer}/${index}`));
  if (!isObject(patch)) return [];
  return Object.entries(patch).flatMap(([name, value]) => {
    const at = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return FORBIDDEN.has(name)
      ? [{ pointer: at, message: `"${name}" may not be set` }]
      : forbiddenMembers(value, at);
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
