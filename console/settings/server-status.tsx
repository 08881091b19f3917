import { Paper, SimpleGrid, Skeleton, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useLive } from "../api/live-stream.ts";
import { useStatus } from "../api/status.ts";
import { Failure } from "../parts/failure.tsx";
import { shortOf } from "../parts/spark.tsx";
import { Ago } from "../parts/time.tsx";

/** How this server stands. */
export function ServerStatus() {
  const status = useStatus();
  const now = useLive().samples.at(-1);
  const { data } = status;
  if (status.error !== null) return <Failure error={status.error} retry={() => void status.refetch()} />;
  if (data === undefined) return <Skeleton h={120} />;
  return (
    <Paper className="panel" p="md" component="section" aria-label="Server">
      <SimpleGrid component="dl" cols={{ base: 2, sm: 3, md: 4 }} spacing="md" m={0}>
        <Fact name="Realtime">{data.realtime ? "On" : "Off"}</Fact>
        <Fact name="API key">{data.keyRequired ? "Required" : "Not required"}</Fact>
        <Fact name="Connections">{(now?.connections ?? data.connections).toLocaleString("en")}</Fact>
        <Fact name="Channels">{(now?.channels ?? data.channels).toLocaleString("en")}</Fact>
        <Fact name="Reached at">{data.publicUrl}</Fact>
        <Fact name="Endpoints below">{data.endpointPrefix}</Fact>
        <Fact name="Version">
          {data.version}
          {data.dev ? ", development" : ""} on Node {data.nodeVersion}
        </Fact>
        <Fact name="Started">
          <Ago at={data.startedAt} />
        </Fact>
        {now !== undefined && <Fact name="Memory">{shortOf(now.rssBytes / 1_000_000)} MB</Fact>}
        {now !== undefined && <Fact name="Event loop delay">{shortOf(now.loopDelayMs)} ms</Fact>}
      </SimpleGrid>
    </Paper>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <Text component="dt" size="sm" c="dimmed">
        {name}
      </Text>
      <Text component="dd" size="sm" fw={600} m={0}>
        {children}
      </Text>
    </div>
  );
}
