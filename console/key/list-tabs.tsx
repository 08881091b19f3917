import { Button, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useStatus } from "../api/status.ts";
import { EntryList } from "./entry-list.tsx";
import { entryOf } from "./key-values.ts";
import { ModeChoice } from "./mode-choice.tsx";
import { errorAt, type KeyForm } from "./use-key-form.ts";

type ListTabProps = {
  readonly form: KeyForm;
  readonly field: "domains" | "ips";
  readonly label: string;
  readonly description: string;
  /** What its two modes are called: everybody, and who is on the list. */
  readonly all: string;
  readonly specified: string;
  /** What one entry is called: "Domain". */
  readonly noun: string;
  readonly placeholder: string;
  /** Below the list. */
  readonly children: ReactNode;
};

/** Everybody, or a list of who is let in. */
function ListTab({
  form,
  field,
  label,
  description,
  all,
  specified,
  noun,
  placeholder,
  children,
}: ListTabProps) {
  const { mode, list } = form.values[field];
  return (
    <Stack>
      <ModeChoice
        label={label}
        description={description}
        error={errorAt(form, `${field}.mode`) ?? errorAt(form, field)}
        modes={[
          { value: "all", label: all },
          { value: "specified", label: specified },
        ]}
        value={mode}
        onChange={(next) => form.setFieldValue(`${field}.mode`, next)}
      />
      {mode === "specified" && (
        <>
          {list.length === 0 && (
            <Text size="sm" role="note">
              The list is empty: no {noun.toLowerCase()} is let in.
            </Text>
          )}
          <EntryList form={form} field={field} noun={noun} placeholder={placeholder} />
          {children}
        </>
      )}
    </Stack>
  );
}

/** From which web pages the key works. */
export function DomainsTab({ form }: { readonly form: KeyForm }) {
  return (
    <ListTab
      form={form}
      field="domains"
      label="Allowed domains"
      description="The pages that may use this key. Programs send no origin, so an authorized list keeps them out."
      all="All Domains"
      specified="Only Authorized Domains"
      noun="Domain"
      placeholder="https://app.example.com"
    >
      <Text size="xs" c="dimmed">
        https://*.example.com stands for one more label. A bare example.com means https. localhost means any
        port.
      </Text>
    </ListTab>
  );
}

/** From which addresses the key works. */
export function IpsTab({ form }: { readonly form: KeyForm }) {
  const { list } = form.values.ips;
  const address = useStatus().data?.address ?? null;
  const addMine = (): void => {
    const filled = list.filter(({ text }) => text !== "");
    form.setFieldValue("ips.list", [...filled, entryOf(address ?? "")]);
  };
  return (
    <ListTab
      form={form}
      field="ips"
      label="Allowed IPs"
      description="The addresses and ranges that may use this key."
      all="All IPs"
      specified="Only Authorized IPs"
      noun="Address"
      placeholder="203.0.113.7 or 10.0.0.0/8"
    >
      <Group>
        <Button
          variant="default"
          size="sm"
          disabled={address === null || list.some(({ text }) => text === address)}
          onClick={addMine}
        >
          Add my address{address === null ? "" : ` (${address})`}
        </Button>
      </Group>
    </ListTab>
  );
}
