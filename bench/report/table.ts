/** Columns of figures stand to the right. */
export type Column = { readonly title: string; readonly isFigure?: boolean };

/** The head of a Markdown table, so that rows may be printed as they come. */
export function tableHead(columns: readonly Column[]): string {
  const rule = columns.map(({ isFigure }) => (isFigure === true ? "---:" : "---"));
  return `${tableRow(columns.map(({ title }) => title))}\n${tableRow(rule)}`;
}

export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  return [tableHead(columns), ...rows.map(tableRow)].join("\n");
}
