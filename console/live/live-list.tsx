import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { PAGE_SIZE } from "../api/live-queries.ts";
import { Pager, type useCursor } from "../parts/pager.tsx";
import { PanelTable } from "../parts/panel-table.tsx";

type LiveListProps<T> = {
  /** What one of them is called: "channel". */
  readonly noun: string;
  readonly page:
    | { readonly items: readonly T[]; readonly next: string | null; readonly total: number }
    | undefined;
  readonly cursor: ReturnType<typeof useCursor>;
  /** The cells of its head. */
  readonly head: ReactNode;
  readonly row: (item: T) => ReactNode;
  /** What is said of an empty list. */
  readonly nothing: string;
};

/** One page of what is live now, and how much there is of it. */
export function LiveList<T>({ noun, page, cursor, head, row, nothing }: LiveListProps<T>) {
  const many = `${noun}s`;
  return (
    <>
      <Text size="sm" c="dimmed" role="status">
        {page === undefined
          ? "Loading…"
          : page.total === 1
            ? `1 ${noun}`
            : `${page.total.toLocaleString("en")} ${many}`}
      </Text>
      <PanelTable
        label={many.charAt(0).toUpperCase() + many.slice(1)}
        head={head}
        rows={page?.items.map((item) => row(item))}
      >
        {page?.total === 0 && <Text p="md">{nothing}</Text>}
      </PanelTable>
      {page !== undefined && (
        <Pager
          cursor={cursor}
          next={page.next}
          pageSize={PAGE_SIZE}
          shown={page.items.length}
          total={page.total}
          what={many}
        />
      )}
    </>
  );
}
