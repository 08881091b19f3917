import { Anchor, Button, Group, Modal, Paper, Stack, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { Link } from "wouter";
import { type Connection, closeConnection, useConnections } from "../api/live-queries.ts";
import { queries } from "../api/queries.ts";
import { Failure } from "../parts/failure.tsx";
import { tell, tellFailure } from "../parts/tell.ts";
import { Ago } from "../parts/time.tsx";
import { channelLink } from "./channel-link.ts";

const TYPING_MS = 250;

/** Who is connected; each can be closed. */
export function ConnectionsPanel({ initialKey }: { readonly initialKey: string }) {
  const [filter, setFilter] = useState({ key: initialKey, channel: "", address: "" });
  const [asked] = useDebouncedValue(filter, TYPING_MS);
  const [closing, setClosing] = useState<Connection>();
  const connections = useConnections(asked);
  const pages = connections.data?.pages ?? [];
  const items = pages.flatMap((page) => page.items);
  const total = pages[0]?.total ?? 0;
  const field = (name: keyof typeof filter, label: string, placeholder: string) => (
    <TextInput
      label={label}
      placeholder={placeholder}
      value={filter[name]}
      flex="1 1 10rem"
      onChange={(event) => setFilter({ ...filter, [name]: event.currentTarget.value.trim() })}
    />
  );
  return (
    <Stack>
      <Group>
        {field("key", "Key id", "key_…")}
        {field("channel", "Channel", "lobby")}
        {field("address", "Address or range", "10.0.0.0/8")}
      </Group>
      {connections.error !== null && (
        <Failure error={connections.error} retry={() => void connections.refetch()} />
      )}
      <Text size="sm" c="dimmed" role="status">
        {total === 1 ? "1 connection" : `${total.toLocaleString("en")} connections`}
      </Text>
      <Paper className="panel fits">
        <Table verticalSpacing="xs" horizontalSpacing="md" aria-label="Connections">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Key</Table.Th>
              <Table.Th visibleFrom="sm">From</Table.Th>
              <Table.Th visibleFrom="md">Channels</Table.Th>
              <Table.Th visibleFrom="sm">Since</Table.Th>
              <Table.Th w={90}>Close</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((connection) => (
              <ConnectionRow key={connection.id} connection={connection} onClose={setClosing} />
            ))}
          </Table.Tbody>
        </Table>
        {connections.isSuccess && items.length === 0 && <Text p="md">Nobody is connected like that.</Text>}
      </Paper>
      {connections.hasNextPage && (
        <Group>
          <Button
            variant="default"
            loading={connections.isFetchingNextPage}
            onClick={() => void connections.fetchNextPage()}
          >
            More
          </Button>
        </Group>
      )}
      <CloseDialog connection={closing} onClose={() => setClosing(undefined)} />
    </Stack>
  );
}

function ConnectionRow({
  connection,
  onClose,
}: {
  readonly connection: Connection;
  readonly onClose: (connection: Connection) => void;
}) {
  const { id, keyId, keyName, origin, address, transport, connectedAt, channels, channelNames } = connection;
  return (
    <Table.Tr data-connection={id}>
      <Table.Td maw={260}>
        {keyId === null ? (
          <Text size="sm">No key</Text>
        ) : (
          <Anchor component={Link} href={`/keys/${keyId}`} size="sm">
            {keyName ?? keyId}
          </Anchor>
        )}
        <Text size="xs" c="dimmed" className="mono">
          {id}
        </Text>
        <Text size="xs" c="dimmed" hiddenFrom="sm">
          {address ?? "unknown address"} · {origin ?? "no origin"} · <Ago at={connectedAt} />
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Text size="sm">{address ?? "unknown address"}</Text>
        <Text size="xs" c="dimmed">
          {origin ?? "no origin"} · {transport}
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="md" maw={220}>
        {channelNames.slice(0, 3).map((name) => (
          <Anchor key={name} component={Link} href={channelLink(name)} size="sm" display="block">
            {name}
          </Anchor>
        ))}
        {channels > 3 && (
          <Text size="xs" c="dimmed">
            and {channels - 3} more
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
}

function CloseDialog({
  connection,
  onClose,
}: {
  readonly connection: Connection | undefined;
  readonly onClose: () => void;
}) {
  const close = (): void => {
    if (connection === undefined) return;
    closeConnection(connection.id)
      .then(() => tell("The connection is closed."), tellFailure)
      .finally(() => void queries.invalidateQueries({ queryKey: ["connections"] }));
    onClose();
  };
  return (
    <Modal opened={connection !== undefined} onClose={onClose} title="Close this connection?" centered>
      <Stack>
        <Text size="sm">
          The client is told so and stays away. Its key still works: to keep it out, change the key.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button color="red" onClick={close}>
            Close it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
