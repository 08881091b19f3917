import { Paper, Table } from "@mantine/core";
import type { ReactNode } from "react";

type PanelTableProps = {
  /** What is listed: "Connections". */
  readonly label: string;
  /** The cells of its head. */
  readonly head: ReactNode;
  readonly rows: ReactNode;
  /** What is to be said below the rows. */
  readonly children?: ReactNode;
};

/** A table in a panel of its own. */
export function PanelTable({ label, head, rows, children }: PanelTableProps) {
  return (
    <Paper className="panel fits">
      <Table verticalSpacing="xs" horizontalSpacing="md" aria-label={label}>
        <Table.Thead>
          <Table.Tr>{head}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>{rows}</Table.Tbody>
      </Table>
      {children}
    </Paper>
  );
}
