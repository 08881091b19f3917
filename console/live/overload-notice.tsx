import { Alert, Text } from "@mantine/core";
import { useLive } from "../api/live-stream.ts";

/** What the node does at each stage. */
const MEASURES: Readonly<Record<number, string>> = {
  1: "It refuses new connections.",
  2: "It refuses new connections, new memberships and large messages.",
  3: "It refuses new connections, new memberships and large messages, and closes connections of the key that weighs most.",
};

const RESOURCES: Readonly<Record<string, string>> = {
  heap: "the heap is nearly full",
  memory: "memory is nearly full",
  loopDelay: "the event loop is late",
  descriptors: "file descriptors are nearly used up",
};

/** Says that the node is overloaded, why, and what it does about it. */
export function OverloadNotice() {
  const last = useLive().samples.at(-1);
  const stage = last?.overloadStage ?? 0;
  const reasons = last?.overloadCauses.map((resource) => RESOURCES[resource] ?? resource).join(", ");
  return (
    <div role="status" className="notice" data-testid="overload">
      {stage > 0 && (
        <Alert
          color="red"
          variant="outline"
          title={
            <Text component="span" inherit c="var(--mantine-color-text)">
              This server is overloaded (stage {stage} of 3)
            </Text>
          }
        >
          <Text size="sm">
            The reason: {reasons}. {MEASURES[stage]}
          </Text>
        </Alert>
      )}
    </div>
  );
}
