import { NativeSelect, Paper, Stack } from "@mantine/core";
import { useState } from "react";
import { PageTitle } from "../parts/page-title.tsx";
import { AuditList } from "./audit-list.tsx";
import { ChainState } from "./chain-state.tsx";

const ACTIONS = [
  { value: "", label: "Everything that was done" },
  { value: "key.created", label: "Keys created" },
  { value: "key.changed", label: "Keys changed" },
  { value: "key.rotated", label: "Secrets rotated" },
  { value: "key.restored", label: "Settings put back" },
  { value: "key.deleted", label: "Keys deleted" },
  { value: "keys.imported", label: "Imports" },
  { value: "keys.exported", label: "Exports" },
  { value: "admin-token.rotated", label: "Admin token rotated" },
  { value: "connection.closed", label: "Connections closed" },
  { value: "channel.published", label: "Messages published" },
  { value: "session.opened", label: "Sign-ins" },
  { value: "denied", label: "Refusals, a sample" },
];

/** Who did what over the admin API, samples of what was refused, and whether the record of it was changed. */
export function AuditPage() {
  const [action, setAction] = useState("");
  return (
    <Stack>
      <PageTitle>Audit</PageTitle>
      <ChainState />
      <NativeSelect
        label="Show"
        data={ACTIONS}
        value={action}
        onChange={(event) => setAction(event.currentTarget.value)}
        w={220}
      />
      <Paper className="panel" px="md" py="xs">
        <AuditList keyId="" action={action} />
      </Paper>
    </Stack>
  );
}
