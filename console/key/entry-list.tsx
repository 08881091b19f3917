import { ActionIcon, Button, Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useEffect, useRef } from "react";
import { CrossIcon } from "../parts/icons.tsx";
import type { KeyForm } from "./use-key-form.ts";

type EntryListProps = {
  readonly form: KeyForm;
  readonly field: "domains" | "ips";
  /** What one entry is called: "Domain". */
  readonly noun: string;
  readonly placeholder: string;
};

/** Beyond this the entries are lines of one text, which stays quick with thousands. */
const ROWS_MAX = 100;

/** A list of entries, one field each, with a fault at its field. */
export function EntryList({ form, field, noun, placeholder }: EntryListProps) {
  const rows = useRef<HTMLDivElement>(null);
  const { list } = form.values[field];
  const path = `${field}.list`;
  const wantsFocus = useRef(false);
  useEffect(() => {
    // With the new row, so that whoever types at once loses nothing.
    if (!wantsFocus.current || list.length === 0) return;
    wantsFocus.current = false;
    rows.current?.querySelector<HTMLInputElement>("[data-last] input")?.focus();
  }, [list.length]);
  if (list.length > ROWS_MAX) return <EntryText form={form} field={field} noun={noun} />;
  const add = (): void => {
    wantsFocus.current = true;
    form.insertListItem(path, "");
  };
  return (
    <Stack gap="xs" ref={rows} role="group" aria-label={`${noun} list`}>
      {list.map((_, index) => (
        <Group
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity than their place
          key={index}
          gap="xs"
          align="flex-start"
          wrap="nowrap"
          {...(index === list.length - 1 ? { "data-last": true } : {})}
        >
          <TextInput
            flex={1}
            aria-label={`${noun} ${index + 1}`}
            placeholder={placeholder}
            maxLength={512}
            autoComplete="off"
            spellCheck={false}
            {...form.getInputProps(`${path}.${index}`)}
          />
          <ActionIcon
            variant="default"
            size={36}
            aria-label={`Remove ${noun.toLowerCase()} ${index + 1}`}
            onClick={() => form.removeListItem(path, index)}
          >
            <CrossIcon />
          </ActionIcon>
        </Group>
      ))}
      {typeof form.errors[path] === "string" && (
        <Text size="sm" c="var(--mantine-color-error)">
          {form.errors[path]}
        </Text>
      )}
      <Group>
        <Button variant="light" size="sm" onClick={add}>
          + Add Another One
        </Button>
      </Group>
    </Stack>
  );
}

const SHOWN_FAULTS = 20;

function EntryText({ form, field, noun }: Pick<EntryListProps, "form" | "field" | "noun">) {
  const { list } = form.values[field];
  const path = `${field}.list`;
  const faults = Object.entries(form.errors).filter(([name]) => name.startsWith(`${path}.`));
  return (
    <Stack gap="xs">
      <Textarea
        label={`${noun} list, one a line`}
        description={`${list.length.toLocaleString("en")} entries`}
        value={list.join("\n")}
        rows={16}
        spellCheck={false}
        error={faults.length > 0 ? `${faults.length} of the lines have faults` : undefined}
        onChange={(event) => form.setFieldValue(path, event.currentTarget.value.split("\n"))}
      />
      {faults.slice(0, SHOWN_FAULTS).map(([name, message]) => (
        <Text key={name} size="sm" c="var(--mantine-color-error)">
          Line {Number(name.slice(path.length + 1)) + 1}: {message}
        </Text>
      ))}
    </Stack>
  );
}
