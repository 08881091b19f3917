import { Anchor, Breadcrumbs, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { Link, useSearchParams } from "wouter";
import { useMembers } from "../api/live-queries.ts";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { PublishForm } from "./publish-form.tsx";
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
      <PageTitle name={name}>{name}</PageTitle>
      <Tail key={name} channel={name} />
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <PublishForm channel={name} />
        <Members channel={name} />
      </SimpleGrid>
    </Stack>
  );
}

const DATA_MAX = 200;

function Members({ channel }: { readonly channel: string }) {
  const members = useMembers(channel);
  const { data } = members;
  return (
    <Paper className="panel" p="md">
      <Stack gap="xs">
        <Title order={2} size="h5">
          Members{data === undefined ? "" : ` (${data.total.toLocaleString("en")})`}
        </Title>
        {members.error !== null && <Failure error={members.error} retry={() => void members.refetch()} />}
        {data?.items.length === 0 && <Text size="sm">Nobody is in this channel.</Text>}
        <ul className="checks" aria-label="Members">
          {data?.items.map(({ id, clientId, data: profile }) => (
            <li key={id} className="refusal">
              <div>
                <Text size="sm" className="mono">
                  {id}
                </Text>
                <Text size="xs" c="dimmed">
                  client {clientId}
                  {profile === null || profile === undefined
                    ? ""
                    : ` · says ${JSON.stringify(profile).slice(0, DATA_MAX)}`}
                </Text>
              </div>
            </li>
          ))}
        </ul>
        {data !== undefined && data.total > data.items.length && (
          <Text size="sm" c="dimmed">
            and {(data.total - data.items.length).toLocaleString("en")} more
          </Text>
        )}
      </Stack>
    </Paper>
  );
}
