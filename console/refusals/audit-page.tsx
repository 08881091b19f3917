import { NativeSelect, Paper, Stack } from "@mantine/core";
import { useState } from "react";
import { PageTitle } from "../parts/page-title.tsx";
import { AuditList } from "./audit-list.tsx";

const ACTIONS = [
  { value: "", label: "Everything" },
  { value: "key.created", label: "Keys created" },
  { value: "key.changed", label: "Keys changed" },
  { value: "key.rotated", label: "Secrets rotated" },
  { value: "key.restored", label: "Settings put back" },
  { value: "key.deleted", label: "Keys deleted" },
  { value: "keys.imported", label: "Imports" },
  { value: "keys.exported", label: "Exports" },
  { value: "session.opened", label: "Sign-ins" },
];

/** Who did what over the admin API. */
export function AuditPage() {
  const [action, setAction] = useState("");
  return (
    <Stack>
      <PageTitle>Audit</PageTitle>
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
