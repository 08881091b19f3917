import type { Static, TSchema } from "typebox";
import { readKept } from "./kept.ts";

/** What one bench writes into docs/benchmarks.md. */
export type Part = {
  readonly name: string;
  /** Measures it anew. */
  readonly command: string;
  /** From the kept figures; undefined when there are none. */
  render(): Rendered | undefined;
};

/** `pictures`: the text of each SVG, by its path in the repository. */
export type Rendered = { readonly text: string; readonly pictures?: Readonly<Record<string, string>> };

/** A part that is what `textOf` makes of the figures of the same name. */
export function partOf<Schema extends TSchema>(
  name: string,
  command: string,
  schema: Schema,
  textOf: (kept: Static<Schema>) => string,
): Part {
  return {
    name,
    command,
    render() {
      const kept = readKept(name, schema);
      return kept === undefined ? undefined : { text: textOf(kept) };
    },
  };
}
