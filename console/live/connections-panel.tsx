import { Anchor, Button, Group, Stack, Table, Text, TextInput } from "@mantine/core";
import { type ChangeEvent, memo, useCallback, useState } from "react";
import { Link } from "wouter";
import { useConnections } from "../api/live-queries.ts";
import { ApiError } from "../api/problem.ts";
import type { Connection } from "../api/types.ts";
import { Failure } from "../parts/failure.tsx";
import { KeyPicker } from "../parts/key-picker.tsx";
import { useCursor } from "../parts/pager.tsx";
import { Ago } from "../parts/time.tsx";
import { Foreign } from "../parts/visible.tsx";
import { channelLink } from "./channel-link.ts";
import { CloseDialog } from "./close-dialog.tsx";
import { LiveList } from "./live-list.tsx";
import { useQueryFilter } from "./use-query-filter.ts";

const NAMES_SHOWN = 3;

/** Who is connected; each can be closed. */
export function ConnectionsPanel() {
  const filter = useQueryFilter();
  const asked = {
    key: filter.asked("key"),
    channel: filter.asked("channel"),
    address: filter.asked("address"),
  };
  const cursor = useCursor(JSON.stringify(asked));
  const [closing, setClosing] = useState<Connection>();
  const connections = useConnections(asked, cursor.after);
  const { error } = connections;
  const fault = addressFault(error);
  const fieldOf = (name: string) => ({
    flex: "1 1 10rem",
    spellCheck: false,
    autoCapitalize: "none",
    value: filter.typed(name),
    onChange: (event: ChangeEvent<HTMLInputElement>) => filter.set(name, event.currentTarget.value),
  });
  return (
    <Stack>
      <Group align="flex-start">
        <KeyPicker
          label="Key"
          placeholder="Any key"
          value={filter.typed("key")}
          onChange={(id) => filter.set("key", id)}
          w={260}
        />
        <TextInput label="In the channel" placeholder="lobby" {...fieldOf("channel")} />
        <TextInput label="Address or range" placeholder="10.0.0.0/8" error={fault} {...fieldOf("address")} />
      </Group>
      {error !== null && fault === undefined && (
        <Failure error={error} retry={() => void connections.refetch()} />
      )}
      <LiveList
        noun="connection"
        page={connections.data}
        cursor={cursor}
        nothing="Nobody is connected like that."
        head={
          <>
            <Table.Th>Key</Table.Th>
            <Table.Th visibleFrom="sm">From</Table.Th>
            <Table.Th visibleFrom="md">Channels</Table.Th>
            <Table.Th visibleFrom="sm">Since</Table.Th>
            <Table.Th w={90}>Close</Table.Th>
          </>
        }
        row={(connection) => (
          <ConnectionRow key={connection.id} connection={connection} onClose={setClosing} />
        )}
      />
      <CloseDialog connection={closing} onClose={useCallback(() => setClosing(undefined), [])} />
    </Stack>
  );
}

function addressFault(error: Error | null): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  return error.faults.find(({ pointer }) => pointer === "/address")?.message;
}

type ConnectionRowProps = {
  readonly connection: Connection;
  readonly onClose: (connection: Connection) => void;
};

/** Painted again only when the server says something else about it. */
const ConnectionRow = memo(function ConnectionRow({ connection, onClose }: ConnectionRowProps) {
  const { id, keyId, keyName, origin, address, transport, connectedAt, channels, channelNames } = connection;
  return (
    <Table.Tr data-connection={id}>
      <Table.Td maw={260}>
        {keyId === null ? (
          <Text size="sm">No key</Text>
        ) : (
          <Anchor component={Link} href={`/keys/${encodeURIComponent(keyId)}`} size="sm">
            <Foreign text={keyName ?? keyId} />
          </Anchor>
        )}
        <Text size="xs" c="dimmed" className="mono">
          {id}
        </Text>
        <Text size="xs" c="dimmed" hiddenFrom="sm">
          {address ?? "unknown address"} · <Foreign text={origin ?? "no origin"} /> · <Ago at={connectedAt} />
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Text size="sm">{address ?? "unknown address"}</Text>
        <Text size="xs" c="dimmed">
          <Foreign text={origin ?? "no origin"} /> · {transport}
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="md" maw={220}>
        {channelNames.slice(0, NAMES_SHOWN).map((name) => (
          <Anchor key={name} component={Link} href={channelLink(name)} size="sm" display="block">
            <Foreign text={name} />
          </Anchor>
        ))}
        {channels > NAMES_SHOWN && (
          <Text size="xs" c="dimmed">
            and {(channels - NAMES_SHOWN).toLocaleString("en")} more
          </Text>
        )}
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Ago at={connectedAt} />
      </Table.Td>
      <Table.Td>
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`Close ${id}`}
          onClick={() => onClose(connection)}
        >
          Close
        </Button>
      </Table.Td>
    </Table.Tr>
  );
});
