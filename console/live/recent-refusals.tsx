import { Anchor, Paper, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import { useDenials } from "../api/refusals.ts";
import { Failure } from "../parts/failure.tsx";
import { DenialList } from "../refusals/denial-list.tsx";

const SHOWN = 20;

/** Who was refused lately, as it happens; of one channel where one is named. */
export function RecentRefusals({ channel }: { readonly channel?: string }) {
  const denials = useDenials("");
  const items = (denials.data?.items ?? []).filter(
    (denial) => channel === undefined || denial.channel === channel,
  );
  return (
    <Stack gap="xs">
      {denials.error !== null && <Failure error={denials.error} retry={() => void denials.refetch()} />}
      {denials.isSuccess && items.length === 0 && (
        <Text size="sm">
          {channel === undefined ? "Nobody was refused" : "Nobody was refused anything in this channel"} since
          the server started.
        </Text>
      )}
      {items.length > 0 && (
        <Paper className="panel" px="md" py="xs">
          <DenialList denials={items.slice(0, SHOWN)} showsKey />
        </Paper>
      )}
      {items.length > SHOWN && (
        <Anchor component={Link} href="/refusals" size="sm">
          All refusals
        </Anchor>
      )}
    </Stack>
  );
}
