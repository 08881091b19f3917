import { Anchor, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { Link } from "wouter";
import { MEMBERS_PAGE_SIZE, useMembers } from "../api/live-queries.ts";
import { ApiError } from "../api/problem.ts";
import { Failure } from "../parts/failure.tsx";
import { Pager, useCursor } from "../parts/pager.tsx";
import { Foreign } from "../parts/visible.tsx";

const DATA_MAX_CHARS = 200;

/** Who is in a channel, with what they say about themselves. */
export function Members({ channel }: { readonly channel: string }) {
  const cursor = useCursor(channel);
  const members = useMembers(channel, cursor.after);
  const { data, error } = members;
  return (
    <Paper className="panel" p="md">
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2} size="h5">
            Members{data === undefined ? "" : ` (${data.total.toLocaleString("en")})`}
          </Title>
          {(data?.total ?? 0) > 0 && (
            <Anchor component={Link} href={`/live?channel=${encodeURIComponent(channel)}`} size="sm">
              Their connections
            </Anchor>
          )}
        </Group>
        {error !== null &&
          (error instanceof ApiError && error.code === "invalid_channel" ? (
            <Text size="sm">This is no name that a channel may have.</Text>
          ) : (
            <Failure error={error} retry={() => void members.refetch()} />
          ))}
        {data?.total === 0 && <Text size="sm">Nobody is in this channel.</Text>}
        <ul className="checks" aria-label="Members">
          {data?.items.map(({ id, clientId, data: profile }) => (
            <li key={id} className="refusal" data-member={id}>
              <div>
                <Text size="sm" className="mono">
                  {id}
                </Text>
                <Text size="xs" c="dimmed">
                  client <Foreign text={clientId} />
                  {profile !== null && profile !== undefined && (
                    <>
                      {" "}
                      · says <Foreign text={cut(JSON.stringify(profile))} className="mono" />
                    </>
                  )}
                </Text>
              </div>
            </li>
          ))}
        </ul>
        {data !== undefined && (
          <Pager
            cursor={cursor}
            next={data.next}
            pageSize={MEMBERS_PAGE_SIZE}
            shown={data.items.length}
            total={data.total}
            what="members"
          />
        )}
      </Stack>
    </Paper>
  );
}

function cut(text: string): string {
  return text.length > DATA_MAX_CHARS ? `${text.slice(0, DATA_MAX_CHARS)}…` : text;
}
