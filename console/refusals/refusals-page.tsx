import { Button, Group, Paper, Skeleton, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import { useDenials } from "../api/refusals.ts";
import { Failure } from "../parts/failure.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { DenialList } from "./denial-list.tsx";

/** Everyone who was refused since the server started. */
export function RefusalsPage() {
  const denials = useDenials("");
  return (
    <Stack>
      <Group justify="space-between">
        <PageTitle>Refusals</PageTitle>
        <Button component={Link} href="/refusals/explain">
          Why was it denied?
        </Button>
      </Group>
      {denials.error !== null && <Failure error={denials.error} retry={() => void denials.refetch()} />}
      <Paper className="panel" px="md" py="xs">
        {denials.isPending && <Skeleton h={60} />}
        {denials.data?.items.length === 0 && (
          <Text py="md">Nobody was refused since the server started.</Text>
        )}
        <DenialList denials={denials.data?.items ?? []} showsKey />
      </Paper>
    </Stack>
  );
}
