import { Button, Group, Paper, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { KeyView } from "../api/types.ts";
import { Dialog } from "../parts/dialog.tsx";
import { useLast } from "../parts/once.ts";
import { compareEdits, type Document, isDocument, labelOf, mergedOf } from "./settings-fields.ts";

export type MergeQuestion = { readonly base: Document; readonly mine: Document; readonly theirs: KeyView };

type MergeDialogProps = {
  readonly question: MergeQuestion | undefined;
  readonly onClose: () => void;
  readonly onMerged: (settings: Document, theirs: KeyView, isToBeSaved: boolean) => void;
};

/** Two people edited one key: what each did, and for each field whose value it is to have. */
export function MergeDialog({ question, onClose, onMerged }: MergeDialogProps) {
  const shown = useLast(question);
  return (
    <Dialog
      opened={question !== undefined}
      onClose={onClose}
      title="Somebody else changed this key"
      size="xl"
      closeOnClickOutside={false}
    >
      {shown !== undefined && (
        <MergeForm key={shown.theirs.version} question={shown} onClose={onClose} onMerged={onMerged} />
      )}
    </Dialog>
  );
}

type Choice = "mine" | "theirs";

function MergeForm({
  question: { base, mine, theirs },
  onClose,
  onMerged,
}: MergeDialogProps & { readonly question: MergeQuestion }) {
  const edits = compareEdits(base, mine, theirs.settings);
  const fields = [...edits.both, ...edits.theirs, ...edits.mine];
  const [choices, setChoices] = useState<Readonly<Record<string, Choice>>>(() =>
    Object.fromEntries(fields.map((field) => [field, edits.theirs.includes(field) ? "theirs" : "mine"])),
  );
  const finish = (isToBeSaved: boolean): void => {
    const fieldsOfMine = fields.filter((field) => choices[field] === "mine");
    onMerged(mergedOf(mine, theirs.settings, fieldsOfMine), theirs, isToBeSaved);
  };
  return (
    <Stack>
      <Text size="sm">
        While you were editing, the key went to version {theirs.version}. Nothing is lost: choose what each
        field is to be.
      </Text>
      {fields.map((field) => (
        <Paper key={field} className="panel" p="sm" data-field={field}>
          <Stack gap="xs">
            <Group justify="space-between">
              <Text fw={600} size="sm">
                {labelOf(field)}
                {edits.both.includes(field) ? " (you both changed it)" : ""}
              </Text>
              <SegmentedControl
                size="xs"
                aria-label={`${labelOf(field)}: whose value`}
                value={choices[field] ?? "mine"}
                data={[
                  { value: "mine", label: "Mine" },
                  { value: "theirs", label: "Theirs" },
                ]}
                onChange={(value) =>
                  setChoices({ ...choices, [field]: value === "theirs" ? "theirs" : "mine" })
                }
              />
            </Group>
            <Value label="Before" value={base[field]} />
            <Value label="Mine" value={mine[field]} base={base[field]} />
            <Value label="Theirs" value={theirs.settings[field]} base={base[field]} />
          </Stack>
        </Paper>
      ))}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Not now
        </Button>
        <Button variant="default" onClick={() => finish(false)}>
          Take these and go on editing
        </Button>
        <Button onClick={() => finish(true)}>Save these</Button>
      </Group>
    </Stack>
  );
}

type ValueProps = { readonly label: string; readonly value: unknown; readonly base?: unknown };

/** A value in words; of lists, what came and went. */
function Value({ label, value, base }: ValueProps) {
  const before = new Set(linesOf(base));
  const lines = linesOf(value);
  const removed = label === "Before" ? [] : [...before].filter((line) => !lines.includes(line));
  return (
    <Group gap="sm" align="flex-start" wrap="nowrap">
      <Text size="sm" c="dimmed" w={60}>
        {label}
      </Text>
      <Stack gap={0} flex={1}>
        {lines.slice(0, LINES_MAX).map((line) => (
          <Text
            key={line}
            size="sm"
            className={label !== "Before" && !before.has(line) ? "added" : ""}
            {...(label !== "Before" && !before.has(line) ? { component: "ins", td: "none" } : {})}
          >
            {line}
          </Text>
        ))}
        {removed.slice(0, LINES_MAX).map((line) => (
          <Text key={line} size="sm" component="del" className="removed">
            {line}
          </Text>
        ))}
        {lines.length > LINES_MAX && (
          <Text size="sm" c="dimmed">
            and {lines.length - LINES_MAX} more
          </Text>
        )}
      </Stack>
    </Group>
  );
}

const LINES_MAX = 30;

function linesOf(value: unknown): string[] {
  if (value === undefined || value === null) return ["not set"];
  if (typeof value === "boolean") return [value ? "yes" : "no"];
  if (Array.isArray(value)) return value.length === 0 ? ["an empty list"] : value.map((one) => lineOf(one));
  if (isDocument(value)) {
    const { mode, list } = value;
    if (typeof mode === "string" && Array.isArray(list)) return [mode, ...list.map((one) => lineOf(one))];
  }
  return [lineOf(value)];
}

function lineOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
