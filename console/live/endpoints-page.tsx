import { Paper, Stack, Table, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useEndpoints, useStatus } from "../api/status.ts";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";

const REFRESH_MS = 5_000;
const SHOWN_MAX = 500;

/** What the application declares, and how often it is called. */
export function EndpointsPage() {
  const [filter, setFilter] = useState("");
  const endpoints = useEndpoints(REFRESH_MS);
  const prefix = useStatus().data?.endpointPrefix ?? "";
  const wanted = filter.trim().toLowerCase();
  const items = (endpoints.data?.items ?? []).filter(({ id, method, path }) =>
    `${id} ${method} ${path}`.toLowerCase().includes(wanted),
  );
  return (
    <Stack>
      <PageTitle>Endpoints</PageTitle>
      <Text size="sm" c="dimmed">
        Declared in the configuration{prefix === "" ? "" : `, served below ${prefix}`}. Calls are counted
        since the server started.
      </Text>
      <TextInput
        label="Filter"
        placeholder="Id, method or path"
        value={filter}
        maw={360}
        onChange={(event) => setFilter(event.currentTarget.value)}
      />
      {endpoints.error !== null && <Failure error={endpoints.error} retry={() => void endpoints.refetch()} />}
      <Paper className="panel fits">
        <Table verticalSpacing="xs" horizontalSpacing="md" aria-label="Endpoints">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Endpoint</Table.Th>
              <Table.Th visibleFrom="sm">Id</Table.Th>
              <Table.Th>Calls</Table.Th>
              <Table.Th>Refused</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.slice(0, SHOWN_MAX).map(({ id, method, path, calls = 0, denied = 0 }) => (
              <Table.Tr key={id} data-endpoint={id}>
                <Table.Td className="mono">
                  {method} {path}
                </Table.Td>
                <Table.Td visibleFrom="sm">{id}</Table.Td>
                <Table.Td>{calls.toLocaleString("en")}</Table.Td>
                <Table.Td>{denied.toLocaleString("en")}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        {endpoints.isSuccess && items.length === 0 && (
          <Text p="md">
            {wanted === "" ? "This server declares no endpoints." : "No endpoint is like that."}
          </Text>
        )}
        {items.length > SHOWN_MAX && (
          <Text p="md">And {items.length - SHOWN_MAX} more: filter to see them.</Text>
        )}
      </Paper>
    </Stack>
  );
}
