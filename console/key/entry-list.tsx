import { Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { entryOf } from "./key-values.ts";
import { RowList } from "./row-list.tsx";
import { errorAt, type KeyForm } from "./use-key-form.ts";

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
  const { list } = form.values[field];
  const path = `${field}.list`;
  if (list.length > ROWS_MAX) return <EntryText form={form} field={field} noun={noun} />;
  const fault = errorAt(form, path);
  return (
    <Stack gap="xs" role="group" aria-label={`${noun} list`}>
      {fault !== undefined && (
        <Text size="sm" c="var(--mantine-color-error)">
          {fault}
        </Text>
      )}
      <RowList form={form} path={path} rows={list} noun={noun.toLowerCase()} makeRow={() => entryOf("")}>
        {({ index, path: rowPath, remove }) => (
          <Group gap="xs" align="flex-start" wrap="nowrap">
            <TextInput
              flex={1}
              aria-label={`${noun} ${index + 1}`}
              placeholder={placeholder}
              maxLength={512}
              autoComplete="off"
              spellCheck={false}
              {...form.getInputProps(`${rowPath}.text`)}
            />
            {remove}
          </Group>
        )}
      </RowList>
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
        value={list.map(({ text }) => text).join("\n")}
        rows={16}
        spellCheck={false}
        error={faults.length > 0 ? `${faults.length} of the lines have faults` : undefined}
        onChange={(event) => form.setFieldValue(path, event.currentTarget.value.split("\n").map(entryOf))}
      />
      {faults.slice(0, SHOWN_FAULTS).map(([name, message]) => (
        <Text key={name} size="sm" c="var(--mantine-color-error)">
          Line {Number.parseInt(name.slice(path.length + 1), 10) + 1}: {message}
        </Text>
      ))}
    </Stack>
  );
}
