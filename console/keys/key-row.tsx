import { Anchor, Group, Menu, Table, Text } from "@mantine/core";
import { Link, useLocation } from "wouter";
import type { KeyView } from "../api/types.ts";
import { explainHref } from "../parts/explain-link.ts";
import { Ago } from "../parts/time.tsx";
import type { KeyAction } from "./key-action-dialog.tsx";
import { KeyActions } from "./key-actions.tsx";
import { nameOf } from "./key-name.ts";
import { StateBadge } from "./state-badge.tsx";

type KeyRowProps = { readonly apiKey: KeyView; readonly onAction: (action: KeyAction) => void };

/** One key of the list. */
export function KeyRow({ apiKey, onAction }: KeyRowProps) {
  const [, navigate] = useLocation();
  const { id, hint, state, settings, connections, lastUsedAt, createdAt } = apiKey;
  const name = nameOf(apiKey);
  const expiresAt = settings["expiresAt"];
  return (
    <Table.Tr data-key={id}>
      <Table.Td maw={340}>
        <Anchor component={Link} href={`/keys/${id}`} fw={500} lineClamp={2}>
          {name}
        </Anchor>
        <Text size="xs" c="dimmed" className="mono">
          {hint ?? id}
        </Text>
        <Group gap="xs" hiddenFrom="xs" mt={4}>
          <StateBadge state={state} />
        </Group>
        <Text size="xs" c="dimmed" hiddenFrom="sm" mt={4}>
          {connections.toLocaleString("en")} connected · used <Ago at={lastUsedAt} />
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="xs">
        <StateBadge state={state} />
      </Table.Td>
      <Table.Td visibleFrom="sm">{connections.toLocaleString("en")}</Table.Td>
      <Table.Td visibleFrom="sm">
        <Ago at={lastUsedAt} />
      </Table.Td>
      <Table.Td visibleFrom="md">
        <Ago at={typeof expiresAt === "string" ? expiresAt : null} />
      </Table.Td>
      <Table.Td visibleFrom="md">
        <Ago at={createdAt} />
      </Table.Td>
      <Table.Td>
        <KeyActions apiKey={apiKey} onAction={onAction}>
          <Menu.Item onClick={() => navigate(`/keys/${id}`)}>Settings</Menu.Item>
          <Menu.Item onClick={() => navigate(explainHref({ keyId: id }))}>Why was it denied?</Menu.Item>
        </KeyActions>
      </Table.Td>
    </Table.Tr>
  );
}
