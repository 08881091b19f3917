import { Anchor, Button, Group, Paper, Stack, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useChannels } from "../api/live-queries.ts";
import { Failure } from "../parts/failure.tsx";
import { shortOf } from "../parts/spark.tsx";
import { channelLink } from "./channel-link.ts";

const TYPING_MS = 250;

/** The channels that have members or messages. */
export function ChannelsPanel() {
  const [text, setText] = useState("");
  const [prefix] = useDebouncedValue(text.trim(), TYPING_MS);
  const [, navigate] = useLocation();
  const channels = useChannels(prefix);
  const pages = channels.data?.pages ?? [];
  const items = pages.flatMap((page) => page.items);
  const total = pages[0]?.total ?? 0;
  return (
    <Stack>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") navigate(channelLink(text.trim()));
        }}
      >
        <Group align="flex-end">
          <TextInput
            label="Channels that begin with"
            placeholder="chat:"
            value={text}
            flex="1 1 12rem"
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={text.trim() === ""}>
            Open this channel
          </Button>
        </Group>
      </form>
      {channels.error !== null && <Failure error={channels.error} retry={() => void channels.refetch()} />}
      <Text size="sm" c="dimmed" role="status">
        {total === 1 ? "1 channel" : `${total.toLocaleString("en")} channels`}
      </Text>
      <Paper className="panel fits">
        <Table verticalSpacing="xs" horizontalSpacing="md" aria-label="Channels">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Members</Table.Th>
              <Table.Th>Messages / s</Table.Th>
              <Table.Th visibleFrom="sm">Messages so far</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map(({ name, members, messagesPerSecond, offset }) => (
              <Table.Tr key={name}>
                <Table.Td maw={320}>
                  <Anchor component={Link} href={channelLink(name)} size="sm">
                    {name}
                  </Anchor>
                </Table.Td>
                <Table.Td>{members.toLocaleString("en")}</Table.Td>
                <Table.Td>{shortOf(messagesPerSecond)}</Table.Td>
                <Table.Td visibleFrom="sm">{offset.toLocaleString("en")}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        {channels.isSuccess && items.length === 0 && <Text p="md">There is no such channel now.</Text>}
      </Paper>
      {channels.hasNextPage && (
        <Group>
          <Button
            variant="default"
            loading={channels.isFetchingNextPage}
            onClick={() => void channels.fetchNextPage()}
          >
            More
          </Button>
        </Group>
      )}
    </Stack>
  );
}
