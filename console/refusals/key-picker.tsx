import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useKey, useKeys } from "../api/keys.ts";
import { nameOf } from "../keys/key-name.ts";

type KeyPickerProps = { readonly value: string; readonly onChange: (id: string) => void };

const TYPING_MS = 150;

/** One key of thousands, found by its name. */
export function KeyPicker({ value, onChange }: KeyPickerProps) {
  const [text, setText] = useState("");
  const [search] = useDebouncedValue(text, TYPING_MS);
  const chosen = useKey(value);
  const found = useKeys({ search, state: "", sort: "name", order: "asc", offset: 0, limit: 30 });
  const choices = (found.data?.items ?? []).map((key) => ({
    value: key.id,
    label: `${nameOf(key)} (${key.id})`,
  }));
  const own = chosen.data === undefined ? value : `${nameOf(chosen.data)} (${value})`;
  const isListed = value === "" || choices.some((choice) => choice.value === value);
  return (
    <Select
      label="API key"
      placeholder="Name or id"
      searchable
      data={isListed ? choices : [{ value, label: own }, ...choices]}
      value={value === "" ? null : value}
      // The server has searched already.
      filter={({ options }) => options}
      nothingFoundMessage="No key is like that."
      onSearchChange={(next) =>
        setText(choices.some(({ label }) => label === next) || next === own ? "" : next)
      }
      onChange={(id) => onChange(id ?? "")}
    />
  );
}
