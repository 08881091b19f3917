import { Anchor, Button, Group, Stack, Table, TextInput } from "@mantine/core";
import { Link, useLocation } from "wouter";
import { useChannels } from "../api/live-queries.ts";
import { Failure } from "../parts/failure.tsx";
import { useCursor } from "../parts/pager.tsx";
import { shortOf } from "../parts/spark.tsx";
import { Foreign } from "../parts/visible.tsx";
import { channelLink } from "./channel-link.ts";
import { LiveList } from "./live-list.tsx";
import { useQueryFilter } from "./use-query-filter.ts";

/** The channels that have members or messages. */
export function ChannelsPanel() {
  const filter = useQueryFilter();
  const prefix = filter.asked("prefix");
  const typed = filter.typed("prefix");
  const [, navigate] = useLocation();
  const cursor = useCursor(prefix);
  const channels = useChannels(prefix, cursor.after);
  return (
    <Stack>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() !== "") navigate(channelLink(typed.trim()));
        }}
      >
        <Group align="flex-end">
          <TextInput
            label="Channels that begin with"
            placeholder="chat:"
            flex="1 1 12rem"
            spellCheck={false}
            autoCapitalize="none"
            maxLength={200}
            value={typed}
            onChange={(event) => filter.set("prefix", event.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={typed.trim() === ""}>
            Open this channel
          </Button>
        </Group>
      </form>
      {channels.error !== null && <Failure error={channels.error} retry={() => void channels.refetch()} />}
      <LiveList
        noun="channel"
        page={channels.data}
        cursor={cursor}
        nothing="There is no such channel now."
        head={
          <>
            <Table.Th>Name</Table.Th>
            <Table.Th ta="end">Members</Table.Th>
            <Table.Th ta="end">Messages / s</Table.Th>
            <Table.Th ta="end" visibleFrom="sm">
              Messages so far
            </Table.Th>
          </>
        }
        row={({ name, members, messagesPerSecond, offset }) => (
          <Table.Tr key={name}>
            <Table.Td maw={320}>
              <Anchor component={Link} href={channelLink(name)} size="sm">
                <Foreign text={name} />
              </Anchor>
            </Table.Td>
            <Table.Td ta="end">{members.toLocaleString("en")}</Table.Td>
            <Table.Td ta="end">{shortOf(messagesPerSecond)}</Table.Td>
            <Table.Td ta="end" visibleFrom="sm">
              {offset.toLocaleString("en")}
            </Table.Td>
          </Table.Tr>
        )}
      />
    </Stack>
  );
}
