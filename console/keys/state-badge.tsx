import { Badge } from "@mantine/core";
import type { KeyView } from "../api/types.ts";

export const STATE_LABELS: Readonly<Record<KeyView["state"], string>> = {
  active: "Active",
  expiring: "Expiring soon",
  expired: "Expired",
  disabled: "Disabled",
  rotating: "Rotating",
  unreadable: "Unreadable",
};

/** How a key stands. The colour says no more than the word. */
export function StateBadge({ state }: { readonly state: KeyView["state"] }) {
  return (
    <Badge variant="default" tt="none" fw={500} leftSection={<span className="dot" data-state={state} />}>
      {STATE_LABELS[state]}
    </Badge>
  );
}
