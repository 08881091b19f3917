import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";

/** Where somebody is in a list of which each page names the next. Another list begins at its first page. */
export function useCursor(list: string) {
  const [place, setPlace] = useState<{ readonly list: string; readonly cursors: readonly string[] }>({
    list,
    cursors: [],
  });
  const cursors = place.list === list ? place.cursors : [];
  return {
    after: cursors.at(-1) ?? "",
    page: cursors.length,
    next: (cursor: string) => setPlace({ list, cursors: [...cursors, cursor] }),
    previous: () => setPlace({ list, cursors: cursors.slice(0, -1) }),
  };
}

type PagerProps = {
  readonly cursor: ReturnType<typeof useCursor>;
  readonly next: string | null;
  readonly pageSize: number;
  readonly shown: number;
  readonly total: number;
  /** What is listed: "connections". */
  readonly what: string;
};

/** Forth and back in a long list. */
export function Pager({ cursor, next, pageSize, shown, total, what }: PagerProps) {
  if (cursor.page === 0 && next === null) return null;
  const from = cursor.page * pageSize + 1;
  return (
    <Group component="nav" aria-label={`Pages of ${what}`} gap="sm">
      <Button variant="default" size="sm" disabled={cursor.page === 0} onClick={cursor.previous}>
        Previous
      </Button>
      <Button
        variant="default"
        size="sm"
        disabled={next === null}
        onClick={() => {
          if (next !== null) cursor.next(next);
        }}
      >
        Next
      </Button>
      <Text size="sm" c="dimmed">
        {shown === 0
          ? "This page is empty by now"
          : `${from.toLocaleString("en")} to ${(from + shown - 1).toLocaleString("en")} of ${total.toLocaleString("en")}`}
      </Text>
    </Group>
  );
}
