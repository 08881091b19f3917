import { Badge, Paper, Skeleton, Stack, Table, Text, TextInput } from "@mantine/core";
import { Fragment, useState } from "react";
import { useSettings } from "../api/status.ts";
import type { SettingInEffect } from "../api/types.ts";
import { LiveNotice } from "../live/live-notice.tsx";
import { OverloadNotice } from "../live/overload-notice.tsx";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { visible } from "../parts/visible.tsx";
import { ServerStatus } from "./server-status.tsx";

const SOURCES: Readonly<Record<SettingInEffect["source"], string>> = {
  flag: "Command line",
  environment: "Environment",
  file: "Config file",
  default: "Default",
};

/** The settings that are in effect, and who says so. They are changed where they come from, and need a restart. */
export function SettingsPage() {
  const [filter, setFilter] = useState("");
  const settings = useSettings();
  const wanted = filter.trim().toLowerCase();
  const items = (settings.data?.items ?? []).filter(({ name, environment, description }) =>
    `${name}\n${environment ?? ""}\n${description}`.toLowerCase().includes(wanted),
  );
  return (
    <Stack>
      <PageTitle>Realtime settings</PageTitle>
      <LiveNotice />
      <OverloadNotice />
      <ServerStatus />
      <Text size="sm" c="dimmed" maw="46rem">
        What this server runs with. A setting is changed where it comes from, and holds from the next start:
        the command line goes before the environment, the environment before the configuration file.
      </Text>
      <TextInput
        label="Filter"
        placeholder="Name, variable or what it is about"
        spellCheck={false}
        value={filter}
        maw={360}
        onChange={(event) => setFilter(event.currentTarget.value)}
      />
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
            {items.map((setting) => (
              <SettingRow key={setting.name} setting={setting} />
            ))}
          </Table.Tbody>
        </Table>
        {settings.isSuccess && items.length === 0 && <Text p="md">No setting is like that.</Text>}
      </Paper>
    </Stack>
  );
}

function SettingRow({ setting }: { readonly setting: SettingInEffect }) {
  const { name, value, source, environment, description } = setting;
  const badge = (
    <Badge
      variant={source === "default" ? "default" : "light"}
      tt="none"
      fw={500}
      c="var(--mantine-color-text)"
    >
      {SOURCES[source]}
    </Badge>
  );
  return (
    <Table.Tr data-setting={name} data-source={source}>
      <Table.Td maw={420}>
        <Text size="sm" fw={600}>
          <BreakableName name={name} />
        </Text>
        <Text size="xs" c="dimmed">
          {description}
        </Text>
      </Table.Td>
      <Table.Td maw={320}>
        <Text size="sm" className="mono">
          {textOf(value)}
        </Text>
        <Text component="div" mt={4} hiddenFrom="sm">
          {badge}
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        {badge}
        {environment !== null && (
          <Text size="xs" c="dimmed" className="mono" mt={4}>
            {environment}
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

/** A long name may break where its words begin. */
function BreakableName({ name }: { readonly name: string }) {
  const [first = "", ...rest] = name.split(/(?=[A-Z][a-z])/);
  return (
    <>
      {first}
      {rest.map((word) => (
        <Fragment key={word}>
          <wbr />
          {word}
        </Fragment>
      ))}
    </>
  );
}

function textOf(value: unknown): string {
  if (value === true) return "on";
  if (value === false) return "off";
  if (value === null || value === undefined || value === "") return "none";
  if (Array.isArray(value) && value.length === 0) return "none";
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return visible(value.join(", "));
  return visible(typeof value === "string" ? value : JSON.stringify(value));
}
