import { Button, Group, Paper, Skeleton, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import { useDenials } from "../api/refusals.ts";
import { LiveNotice } from "../live/live-notice.tsx";
import { useQueryFilter } from "../live/use-query-filter.ts";
import { explainHref } from "../parts/explain-link.ts";
import { Failure } from "../parts/failure.tsx";
import { KeyPicker } from "../parts/key-picker.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { DenialList } from "./denial-list.tsx";

/** Everyone who was refused since the server started, as it happens. */
export function RefusalsPage() {
  const filter = useQueryFilter();
  const keyId = filter.asked("keyId");
  const denials = useDenials(keyId);
  return (
    <Stack>
      <Group justify="space-between">
        <PageTitle>Refusals</PageTitle>
        <Button component={Link} href={explainHref({ keyId })}>
          Why was it denied?
        </Button>
      </Group>
      <LiveNotice />
      <KeyPicker
        label="Of the key"
        placeholder="Any key, or none"
        value={filter.typed("keyId")}
        onChange={(id) => filter.set("keyId", id)}
        w={300}
      />
      {denials.error !== null && <Failure error={denials.error} retry={() => void denials.refetch()} />}
      <Paper className="panel" px="md" py="xs">
        {denials.isPending && <Skeleton h={60} />}
        {denials.data?.items.length === 0 && (
          <Text py="md">
            {keyId === "" ? "Nobody was refused" : "Nobody was refused with this key"} since the server
            started.
          </Text>
        )}
        <DenialList denials={denials.data?.items ?? []} showsKey={keyId === ""} />
      </Paper>
    </Stack>
  );
}
