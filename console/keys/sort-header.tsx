import { type MantineBreakpoint, Table, UnstyledButton } from "@mantine/core";

type SortHeaderProps = {
  readonly column: string;
  readonly label: string;
  readonly sort: string;
  readonly order: "asc" | "desc";
  readonly onSort: (column: string) => void;
  readonly visibleFrom?: MantineBreakpoint;
};

/** A column's heading that sorts by it. */
export function SortHeader({ column, label, sort, order, onSort, visibleFrom }: SortHeaderProps) {
  const isSorted = column === sort;
  const direction = order === "asc" ? "ascending" : "descending";
  return (
    <Table.Th
      aria-sort={isSorted ? direction : "none"}
      {...(visibleFrom === undefined ? {} : { visibleFrom })}
    >
      <UnstyledButton className="sort" fz="sm" onClick={() => onSort(column)}>
        {label}
        <span aria-hidden="true">{isSorted ? (order === "asc" ? "↑" : "↓") : ""}</span>
      </UnstyledButton>
    </Table.Th>
  );
}
