import { Stack, Text, Title } from "@mantine/core";
import { useDenials } from "../api/refusals.ts";
import { Failure } from "../parts/failure.tsx";
import { AuditList } from "../refusals/audit-list.tsx";
import { DenialList } from "../refusals/denial-list.tsx";

/** What was done to this key, and whom it refused. */
export function ActivityTab({ keyId }: { readonly keyId: string }) {
  const denials = useDenials(keyId);
  return (
    <Stack>
      <Title order={2} size="h5">
        Recent refusals
      </Title>
      {denials.error !== null && <Failure error={denials.error} retry={() => void denials.refetch()} />}
      {denials.data?.items.length === 0 && (
        <Text size="sm">Nobody was refused since the server started.</Text>
      )}
      <DenialList denials={denials.data?.items ?? []} showsKey={false} />
      <Title order={2} size="h5">
        Changes
      </Title>
      <AuditList keyId={keyId} action="" />
    </Stack>
  );
}
