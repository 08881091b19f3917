import { Paper, Skeleton, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { request } from "../api/request.ts";
import { useStatus } from "../api/status.ts";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { Ago } from "../parts/time.tsx";

type Setting = {
  readonly name: string;
  readonly value: unknown;
  readonly source: "flag" | "environment" | "file" | "default";
  readonly environment: string | null;
  readonly description: string;
};

const SOURCES: Readonly<Record<Setting["source"], string>> = {
  flag: "Command line",
  environment: "Environment",
  file: "Configuration file",
  default: "Default",
};

/** The settings that are in effect, and who says so. They are changed where they come from, and need a restart. */
export function SettingsPage() {
  const settings = useQuery({
    queryKey: ["settings"],
    queryFn: ({ signal }) => request<{ readonly items: readonly Setting[] }>("/settings", { signal }),
  });
  const { data: status } = useStatus();
  return (
    <Stack>
      <PageTitle>Realtime settings</PageTitle>
      {status !== undefined && (
        <Text size="sm" c="dimmed">
          Realtime is {status.realtime ? "on" : "off"}; an API key is{" "}
          {status.keyRequired ? "required" : "not required"}. Sluice {status.version} on Node{" "}
          {status.nodeVersion}, started <Ago at={status.startedAt} />, reached at {status.publicUrl}.
        </Text>
      )}
      {settings.error !== null && <Failure error={settings.error} retry={() => void settings.refetch()} />}
      <Paper className="panel fits">
        {settings.isPending && <Skeleton h={80} m="md" />}
        <Table verticalSpacing="xs" horizontalSpacing="md" aria-label="Settings in effect">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Setting</Table.Th>
              <Table.Th>In effect</Table.Th>
              <Table.Th visibleFrom="sm">Comes from</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {settings.data?.items.map(({ name, value, source, environment, description }) => (
              <Table.Tr key={name} data-setting={name}>
                <Table.Td>
                  <Text size="sm" fw={600}>
                    {name}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {description}
                  </Text>
                </Table.Td>
                <Table.Td className="mono">
                  {textOf(value)}
                  <Text size="xs" c="dimmed" hiddenFrom="sm">
                    {SOURCES[source]}
                  </Text>
                </Table.Td>
                <Table.Td visibleFrom="sm">
                  <Text size="sm">{SOURCES[source]}</Text>
                  {environment !== null && (
                    <Text size="xs" c="dimmed" className="mono">
                      {environment}
                    </Text>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Paper>
    </Stack>
  );
}

function textOf(value: unknown): string {
  if (value === true) return "on";
  if (value === false) return "off";
  if (value === null || value === undefined || value === "") return "none";
  if (Array.isArray(value) && value.length === 0) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
