import {
  Anchor,
  Button,
  Group,
  NativeSelect,
  Pagination,
  Paper,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
  VisuallyHidden,
} from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import { useRef, useState } from "react";
import { Link, useSearchParams } from "wouter";
import { type KeyList, useKeys } from "../api/keys.ts";
import { looksSecret } from "../parts/explain-link.ts";
import { Failure } from "../parts/failure.tsx";
import { SearchIcon } from "../parts/icons.tsx";
import { useOnce } from "../parts/once.ts";
import { PageTitle } from "../parts/page-title.tsx";
import { part } from "../parts/part.tsx";
import type { KeyAction } from "./key-action-dialog.tsx";
import { KeyRow } from "./key-row.tsx";
import { SortHeader } from "./sort-header.tsx";
import { STATE_LABELS } from "./state-badge.tsx";
import { UnreadableKeys } from "./unreadable-keys.tsx";

const KeyActionDialog = part(async () => (await import("./key-action-dialog.tsx")).KeyActionDialog, {
  isDialog: true,
});

/** What is done to a key can be done while the line is away for a moment. */
export const preloadActions = (): void => KeyActionDialog.preload();

const PAGE_SIZE = 50;
const TYPING_MS = 150;

/** Every key: searched and sorted on the server, fifty at a time. What is asked for stands in the address. */
export function KeysPage() {
  const [params, setParams] = useSearchParams();
  const [action, setAction] = useState<KeyAction>();
  const hasActed = useOnce(action !== undefined);
  const searchField = useRef<HTMLInputElement>(null);
  useHotkeys([["/", () => searchField.current?.focus()]]);
  const page = Math.max(1, Number.parseInt(params.get("page") ?? "1", 10) || 1);
  const sort = params.get("sort") ?? "created";
  const order = params.get("order") === "asc" ? "asc" : "desc";
  const search = params.get("search") ?? "";
  const state = params.get("state") ?? "";
  const keys = useKeys({ search, state, sort, order, offset: (page - 1) * PAGE_SIZE, limit: PAGE_SIZE });

  const ask = (change: Readonly<Record<string, string>>): void => {
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries({ page: "", ...change })) {
          if (value === "") next.delete(name);
          else next.set(name, value);
        }
        return next;
      },
      { replace: true },
    );
  };
  const [isSecret, setSecret] = useState(false);
  const askForText = useDebouncedCallback((text: string) => {
    // A whole secret is not to stand in an address, and no search would find it.
    setSecret(looksSecret(text));
    ask({ search: looksSecret(text) ? "" : text });
  }, TYPING_MS);
  const { data } = keys;
  const pages = Math.max(1, Math.ceil((data?.total ?? 0) / PAGE_SIZE));
  const sortBy = (column: string): void =>
    ask({ sort: column, order: column === sort && order === "asc" ? "desc" : "asc" });
  const header = { sort, order, onSort: sortBy } as const;

  return (
    <Stack>
      <Group justify="space-between">
        <PageTitle>API keys</PageTitle>
        <Button component={Link} href="/keys/new">
          New key
        </Button>
      </Group>
      <Group align="flex-end" wrap="wrap">
        <TextInput
          ref={searchField}
          label="Search"
          placeholder="Name, id or how a secret begins"
          leftSection={<SearchIcon />}
          defaultValue={search}
          maxLength={200}
          error={isSecret ? "This is a whole secret: ask “Why was it denied?” about it instead." : undefined}
          onChange={(event) => askForText(event.currentTarget.value)}
          flex="1 1 14rem"
        />
        <NativeSelect
          label="State"
          data={stateChoices(data)}
          value={state}
          onChange={(event) => ask({ state: event.currentTarget.value })}
          w={190}
        />
      </Group>
      <Text size="sm" c="dimmed" role="status" aria-live="polite">
        {data === undefined ? "Loading…" : foundText(data.total)}
      </Text>
      {keys.error !== null && <Failure error={keys.error} retry={() => void keys.refetch()} />}
      <UnreadableKeys ids={data?.unreadable ?? []} />
      <Paper className="panel fits" aria-busy={keys.isFetching}>
        <Table verticalSpacing="sm" horizontalSpacing="md" highlightOnHover aria-label="API keys">
          <Table.Thead>
            <Table.Tr>
              <SortHeader column="name" label="Name" {...header} />
              <Table.Th visibleFrom="xs">State</Table.Th>
              <SortHeader column="connections" label="Connections" {...header} visibleFrom="sm" />
              <SortHeader column="lastUsed" label="Last used" {...header} visibleFrom="sm" />
              <SortHeader column="expires" label="Expires" {...header} visibleFrom="md" />
              <SortHeader column="created" label="Created" {...header} visibleFrom="md" />
              <Table.Th w={60}>
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data === undefined && keys.error === null && <Placeholder />}
            {data?.items.map((key) => (
              <KeyRow key={key.id} apiKey={key} onAction={setAction} />
            ))}
          </Table.Tbody>
        </Table>
        {data !== undefined && data.total === 0 && <Nothing isFiltered={search !== "" || state !== ""} />}
      </Paper>
      {pages > 1 && (
        <Pagination
          total={pages}
          value={Math.min(page, pages)}
          onChange={(next) => ask({ page: next === 1 ? "" : String(next) })}
          getControlProps={(control) => ({ "aria-label": `${control} page` })}
          getItemProps={(item) => ({ "aria-label": `Page ${item}` })}
        />
      )}
      {hasActed && <KeyActionDialog action={action} onClose={() => setAction(undefined)} />}
    </Stack>
  );
}

function foundText(total: number): string {
  return total === 1 ? "1 key" : `${total.toLocaleString("en")} keys`;
}

function stateChoices(data: KeyList | undefined) {
  const states = Object.entries(STATE_LABELS).map(([value, label]) => {
    const count = Object.entries(data?.counts ?? {}).find(([state]) => state === value)?.[1] ?? 0;
    return { value, label: data === undefined ? label : `${label} (${count.toLocaleString("en")})` };
  });
  return [{ value: "", label: "Any state" }, ...states];
}

function Placeholder() {
  return ["a", "b", "c", "d"].map((row) => (
    <Table.Tr key={row}>
      <Table.Td colSpan={7}>
        <Skeleton h={22} />
      </Table.Td>
    </Table.Tr>
  ));
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  return (
    <Stack align="center" p="xl" gap="xs">
      <Text>{isFiltered ? "No key is like that." : "There is no key yet."}</Text>
      {!isFiltered && (
        <Anchor component={Link} href="/keys/new">
          Make the first one
        </Anchor>
      )}
    </Stack>
  );
}
