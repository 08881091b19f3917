import { Button, Group, Text } from "@mantine/core";
import { useChainCheck } from "../api/refusals.ts";
import { Failure } from "../parts/failure.tsx";
import { visible } from "../parts/visible.tsx";

/** Looks at every entry when it is asked to: each names the digest of the one before. */
export function ChainState() {
  const check = useChainCheck();
  const { data } = check;
  return (
    <Group gap="sm">
      <Button
        variant="default"
        size="sm"
        loading={check.isFetching}
        onClick={() => {
          void check.refetch();
        }}
      >
        Check for changes
      </Button>
      {check.error !== null && <Failure error={check.error} retry={() => void check.refetch()} />}
      {check.error === null && data !== undefined && (
        <Text size="sm" role="status">
          {data.broken === null
            ? `Nothing was changed: ${data.checked.toLocaleString("en")} entries are chained.`
            : `Broken at entry ${data.broken.sequence}: ${visible(data.broken.reason)}.`}
        </Text>
      )}
    </Group>
  );
}
