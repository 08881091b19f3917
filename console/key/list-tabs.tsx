import { Button, Group, Radio, Stack, Text } from "@mantine/core";
import { useStatus } from "../api/status.ts";
import { EntryList } from "./entry-list.tsx";
import { entryOf } from "./key-values.ts";
import { errorAt, type KeyForm } from "./use-key-form.ts";

/** From which web pages the key works. */
export function DomainsTab({ form }: { readonly form: KeyForm }) {
  const { mode, list } = form.values.domains;
  return (
    <Stack>
      <Radio.Group
        label="Allowed domains"
        description="The pages that may use this key. Programs send no origin, so an authorized list keeps them out."
        error={errorAt(form, "domains.mode") ?? errorAt(form, "domains")}
        value={mode}
        onChange={(value) => form.setFieldValue("domains.mode", value === "all" ? "all" : "specified")}
      >
        <Stack gap="xs" mt="xs">
          <Radio value="all" label="All Domains" />
          <Radio value="specified" label="Only Authorized Domains" />
        </Stack>
      </Radio.Group>
      {mode === "specified" && (
        <>
          {list.length === 0 && <Nobody what="domain" />}
          <EntryList form={form} field="domains" noun="Domain" placeholder="https://app.example.com" />
          <Text size="xs" c="dimmed">
            https://*.example.com stands for one more label. A bare example.com means https. localhost means
            any port.
          </Text>
        </>
      )}
    </Stack>
  );
}

/** From which addresses the key works. */
export function IpsTab({ form }: { readonly form: KeyForm }) {
  const { mode, list } = form.values.ips;
  const address = useStatus().data?.address ?? null;
  return (
    <Stack>
      <Radio.Group
        label="Allowed IPs"
        description="The addresses and ranges that may use this key."
        error={errorAt(form, "ips.mode") ?? errorAt(form, "ips")}
        value={mode}
        onChange={(value) => form.setFieldValue("ips.mode", value === "all" ? "all" : "specified")}
      >
        <Stack gap="xs" mt="xs">
          <Radio value="all" label="All IPs" />
          <Radio value="specified" label="Only Authorized IPs" />
        </Stack>
      </Radio.Group>
      {mode === "specified" && (
        <>
          {list.length === 0 && <Nobody what="address" />}
          <EntryList form={form} field="ips" noun="Address" placeholder="203.0.113.7 or 10.0.0.0/8" />
          <Group>
            <Button
              variant="default"
              size="sm"
              disabled={address === null || list.some(({ text }) => text === address)}
              onClick={() =>
                form.setFieldValue("ips.list", [
                  ...list.filter(({ text }) => text !== ""),
                  entryOf(address ?? ""),
                ])
              }
            >
              Add my address{address === null ? "" : ` (${address})`}
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
}

function Nobody({ what }: { readonly what: string }) {
  return (
    <Text size="sm" role="note">
      The list is empty: no {what} is let in.
    </Text>
  );
}
