import { readFileSync } from "node:fs";
import type { Static, TSchema } from "typebox";
import { Type } from "typebox";
import { Value } from "typebox/value";

/** Read `vectors/<name>.json` and check every row, so that a misspelt field is a failure and not a skipped test. */
export function readVectors<T extends TSchema>(name: string, row: T): Static<T>[] {
  const text = readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), "utf8");
  const file: unknown = JSON.parse(text);
  const schema = Type.Object({ about: Type.String(), vectors: Type.Array(Type.Unknown()) });
  if (!Value.Check(schema, file)) throw new Error(`${name}.json is no file of vectors`);
  return file.vectors.map((vector, index) => {
    if (!Value.Check(row, vector)) throw new Error(`${name}.json: row ${index} is not understood`);
    return vector;
  });
}

/** Input of any kind in the place of a typed one: what a hostile or mistaken caller passes. */
export function untyped<T>(value: unknown): T {
  return value as T;
}

/** A title from any value, short and printable. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
