import { Paper, SimpleGrid, Text } from "@mantine/core";
import { useLive } from "../api/live-stream.ts";
import type { Sample } from "../api/types.ts";
import { Spark, shortOf } from "../parts/spark.tsx";

type Figure = {
  readonly label: string;
  readonly unit: string;
  readonly of: (sample: Sample) => number;
};

const FIGURES: readonly Figure[] = [
  { label: "Connections", unit: "", of: ({ connections }) => connections },
  { label: "Channels", unit: "", of: ({ channels }) => channels },
  { label: "Published", unit: " / s", of: ({ publishedPerSecond }) => publishedPerSecond },
  { label: "Delivered", unit: " / s", of: ({ deliveredPerSecond }) => deliveredPerSecond },
  { label: "Refused", unit: " / s", of: ({ deniedPerSecond }) => deniedPerSecond },
  { label: "Memory", unit: " MB", of: ({ rssBytes }) => rssBytes / 1_000_000 },
];

/** How much is going on: now, and in the last five minutes. */
export function Totals() {
  const { samples } = useLive();
  const now = samples.at(-1);
  return (
    <SimpleGrid cols={{ base: 2, sm: 3 }} spacing="sm">
      {FIGURES.map(({ label, unit, of }) => (
        <Paper key={label} className="panel" p="sm" data-figure={label}>
          <Text size="sm" c="dimmed">
            {label}
          </Text>
          <Text fz="xl" fw={700} lh={1.3} data-value>
            {now === undefined ? "–" : `${shortOf(of(now))}${unit}`}
          </Text>
          <Spark label={label} values={samples.map(of)} />
        </Paper>
      ))}
    </SimpleGrid>
  );
}
