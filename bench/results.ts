import type { Static, TSchema } from "typebox";
import { PARTS, writePart } from "./report/document.ts";
import { readKept, writeKept } from "./report/kept.ts";

/**
 * With `--write`: keep a bench's figures in bench/results, and write its part of docs/benchmarks.md from them. What
 * was kept before is handed in, so that a run of a part of a bench changes that alone.
 */
export function keep<Schema extends TSchema>(
  name: string,
  schema: Schema,
  update: (kept: Static<Schema> | undefined) => Static<Schema>,
): void {
  if (!process.argv.includes("--write")) return;
  writeKept(name, update(readKept(name, schema)));
  for (const part of PARTS) if (part.name === name) writePart(part);
}
