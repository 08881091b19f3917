import { Group, Select, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { readKey, useKeys } from "../api/keys.ts";
import type { KeyView } from "../api/types.ts";
import { nameOf } from "../keys/key-name.ts";
import { looksSecret } from "./explain-link.ts";
import { visible } from "./visible.tsx";

type KeyPickerProps = {
  readonly label: string;
  /** A key's id; empty for none. */
  readonly value: string;
  readonly onChange: (id: string) => void;
  readonly error?: ReactNode;
  readonly placeholder?: string;
  readonly w?: number | string;
};

const SHOWN = 20;
const TYPING_MS = 150;

/** One of any number of keys, found by name, id or how a secret begins. */
export function KeyPicker({ label, value, onChange, error, placeholder, w }: KeyPickerProps) {
  const chosen = useChosenKey(value);
  const chosenLabel = value === "" ? "" : chosen === undefined ? value : labelOf(chosen);
  const [typed, setTyped] = useState<string>();
  const text = typed ?? chosenLabel;
  const [search] = useDebouncedValue(text === chosenLabel ? "" : text.trim(), TYPING_MS);
  // A whole secret is not to travel in an address, and no search would find it.
  const isSecret = looksSecret(search);
  const keys = useKeys({
    search: isSecret ? "" : search.slice(0, 200),
    state: "",
    sort: "name",
    order: "asc",
    offset: 0,
    limit: SHOWN,
  });
  const found = isSecret ? [] : (keys.data?.items ?? []);
  const options = found.map((key) => ({ value: key.id, label: labelOf(key) }));
  if (value !== "" && !options.some((option) => option.value === value)) {
    options.unshift({ value, label: chosenLabel });
  }
  const total = keys.data?.total ?? 0;
  return (
    <Select
      label={label}
      placeholder={placeholder ?? "Name, id or how a secret begins"}
      data={options}
      value={value === "" ? null : value}
      searchable
      clearable
      searchValue={text}
      onSearchChange={setTyped}
      // Found on the server.
      filter={({ options: all }) => all}
      onChange={(id) => {
        setTyped(undefined);
        onChange(id ?? "");
      }}
      onBlur={() => setTyped(undefined)}
      nothingFoundMessage={
        isSecret
          ? "This is a secret: it is not searched for"
          : keys.isPending
            ? "Loading…"
            : "No key is like that"
      }
      renderOption={({ option }) => (
        <Group gap="xs" justify="space-between" wrap="nowrap" w="100%">
          <Text size="sm" component="span" lineClamp={1}>
            {option.label}
          </Text>
          {option.value === options.at(-1)?.value && total > options.length && (
            <Text size="xs" c="dimmed" component="span" style={{ whiteSpace: "nowrap" }}>
              {(total - options.length).toLocaleString("en")} more
            </Text>
          )}
        </Group>
      )}
      clearButtonProps={{ "aria-label": `Clear ${label.toLowerCase()}` }}
      {...(error === undefined ? {} : { error })}
      {...(w === undefined ? {} : { w })}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

function useChosenKey(id: string): KeyView | undefined {
  const chosen = useQuery({
    queryKey: ["key", id],
    queryFn: ({ signal }) => readKey(id, signal),
    enabled: id !== "",
    retry: false,
  });
  return id === "" ? undefined : chosen.data;
}

function labelOf(key: KeyView): string {
  return `${visible(nameOf(key))} · ${key.hint ?? key.id}`;
}
