import { Anchor, Stack, Table, Text, TextInput } from "@mantine/core";
import { Link } from "wouter";
import { useEndpoints, useStatus } from "../api/status.ts";
import { explainHref } from "../parts/explain-link.ts";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { PanelTable } from "../parts/panel-table.tsx";
import { Foreign } from "../parts/visible.tsx";
import { LiveNotice } from "./live-notice.tsx";
import { useQueryFilter } from "./use-query-filter.ts";

const REFRESH_MS = 2_000;
const SHOWN_MAX = 200;

/** What the application declares, and how often it is called. */
export function EndpointsPage() {
  const filter = useQueryFilter();
  const endpoints = useEndpoints(REFRESH_MS);
  const prefix = useStatus().data?.endpointPrefix ?? "";
  const wanted = filter.typed("filter").trim().toLowerCase();
  const all = endpoints.data?.items ?? [];
  const items = all.filter(({ id, method, path }) =>
    `${id}\n${method} ${path}`.toLowerCase().includes(wanted),
  );
  return (
    <Stack>
      <PageTitle>Endpoints</PageTitle>
      <LiveNotice />
      <Text size="sm" c="dimmed">
        Declared in the configuration{prefix === "" ? "" : `, served below ${prefix}`}. Calls are counted
        since the server started.
      </Text>
      <TextInput
        label="Filter"
        placeholder="Id, method or path"
        spellCheck={false}
        value={filter.typed("filter")}
        maw={360}
        onChange={(event) => filter.set("filter", event.currentTarget.value)}
      />
      {endpoints.error !== null && <Failure error={endpoints.error} retry={() => void endpoints.refetch()} />}
      <PanelTable
        label="Endpoints"
        head={
          <>
            <Table.Th>Endpoint</Table.Th>
            <Table.Th ta="end">Calls</Table.Th>
            <Table.Th ta="end">Refused</Table.Th>
            <Table.Th visibleFrom="sm">Who may call it</Table.Th>
          </>
        }
        rows={items.slice(0, SHOWN_MAX).map(({ id, method, path, calls, denied }) => (
          <Table.Tr key={id} data-endpoint={id}>
            <Table.Td>
              <Text size="sm" className="mono">
                {method} <Foreign text={path} />
              </Text>
              <Text size="xs" c="dimmed">
                <Foreign text={id} />
              </Text>
            </Table.Td>
            <Table.Td ta="end">{calls.toLocaleString("en")}</Table.Td>
            <Table.Td ta="end">{denied.toLocaleString("en")}</Table.Td>
            <Table.Td visibleFrom="sm">
              <Anchor
                component={Link}
                href={explainHref({ action: "endpoint", endpoint: `${method} ${path}` })}
                size="sm"
                aria-label={`Explain who may call ${method} ${path}`}
              >
                Explain
              </Anchor>
            </Table.Td>
          </Table.Tr>
        ))}
      >
        {endpoints.isSuccess && items.length === 0 && (
          <Text p="md">
            {all.length === 0 ? "This server declares no endpoints." : "No endpoint is like that."}
          </Text>
        )}
        {items.length > SHOWN_MAX && (
          <Text p="md">And {(items.length - SHOWN_MAX).toLocaleString("en")} more: filter to see them.</Text>
        )}
      </PanelTable>
    </Stack>
  );
}
