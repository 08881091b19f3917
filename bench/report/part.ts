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
