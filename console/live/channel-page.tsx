import { Anchor, Breadcrumbs, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { Link, useSearchParams } from "wouter";
import { useChannel } from "../api/live-queries.ts";
import { PageTitle } from "../parts/page-title.tsx";
import { shortOf } from "../parts/spark.tsx";
import { Foreign, visible } from "../parts/visible.tsx";
import { LiveNotice } from "./live-notice.tsx";
import { Members } from "./members.tsx";
import { PublishForm } from "./publish-form.tsx";
import { RecentRefusals } from "./recent-refusals.tsx";
import { Tail } from "./tail.tsx";

/** One channel: its messages as they come, who is in it, and a message of your own. */
export function ChannelPage() {
  const [query] = useSearchParams();
  const name = query.get("name") ?? "";
  return (
    <Stack>
      <Breadcrumbs>
        <Anchor component={Link} href="/live?view=channels" size="sm">
          Channels
        </Anchor>
      </Breadcrumbs>
      <Group justify="space-between" align="flex-end">
        <PageTitle key={name} name={visible(name)}>
          <Foreign text={name} />
        </PageTitle>
        <ChannelFigures name={name} />
      </Group>
      <LiveNotice />
      <Tail key={`tail ${name}`} channel={name} />
      <SimpleGrid cols={{ base: 1, md: 2 }} className="side-by-side">
        <Stack>
          <PublishForm key={`publish ${name}`} channel={name} />
          <Title order={2} size="h5">
            Recent refusals
          </Title>
          <RecentRefusals channel={name} />
        </Stack>
        <Members channel={name} />
      </SimpleGrid>
    </Stack>
  );
}

function ChannelFigures({ name }: { readonly name: string }) {
  const channel = useChannel(name);
  if (channel.data === undefined) return null;
  const { members = 0, messagesPerSecond = 0, offset = 0 } = channel.data ?? {};
  return (
    <Text size="sm" c="dimmed" data-testid="channel-figures">
      {members === 1 ? "1 member" : `${members.toLocaleString("en")} members`} · {shortOf(messagesPerSecond)}{" "}
      messages / s · {offset.toLocaleString("en")} so far
    </Text>
  );
}
