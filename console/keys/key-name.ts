import type { KeyView } from "../api/types.ts";

/** What to call a key, also one whose settings cannot be read. */
export function nameOf({ id, settings }: Pick<KeyView, "id" | "settings">): string {
  const { name } = settings;
  return typeof name === "string" && name !== "" ? name : id;
}
