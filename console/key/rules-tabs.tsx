import {
  Box,
  Checkbox,
  Group,
  NativeSelect,
  NumberInput,
  Paper,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import type { LimitValues, RuleValues } from "./key-values.ts";
import { ModeChoice } from "./mode-choice.tsx";
import { RowList } from "./row-list.tsx";
import { newRow } from "./rows.ts";
import { errorAt, type KeyForm } from "./use-key-form.ts";

const MODES = [
  { value: "all", label: "All channels and actions" },
  { value: "rules", label: "Only what these rules grant" },
] as const;
const BROADCASTS = [
  {
    value: "key",
    label: "The connections of this key",
    description:
      "Who uses another key hears nothing. Over HTTP it is refused while this key has no connection.",
  },
  {
    value: "everyone",
    label: "Everyone connected, whatever their key",
    description: "For a key that speaks to all: whoever holds it reaches every connection of the server.",
  },
] as const;
const ACTIONS = ["join", "publish", "presence", "history", "broadcast"];

const newRule = (): RuleValues => ({
  row: newRow(),
  pattern: "",
  actions: ["join", "publish", "presence", "history"],
});
const newLimit = (): LimitValues => ({
  row: newRow(),
  name: "",
  limit: "",
  windowSeconds: 1,
  per: "connection",
  kind: "calls",
});

/** What the key may do on which channels. */
export function ChannelsTab({ form }: { readonly form: KeyForm }) {
  const { mode, list } = form.values.channels;
  return (
    <Stack>
      <ModeChoice
        label="Channels"
        description="Segments split at a colon: * is one segment, a final ** is the rest. Any rule that grants an action grants it."
        error={errorAt(form, "channels")}
        modes={MODES}
        value={mode}
        onChange={(next) => form.setFieldValue("channels.mode", next)}
      />
      {mode === "rules" && (
        <Stack gap="xs">
          {list.length === 0 && <Text size="sm">There is no rule: no channel is open.</Text>}
          <RowList form={form} path="channels.list" rows={list} noun="rule" makeRow={newRule}>
            {({ index, path, remove }) => (
              <Paper className="panel" p="sm" role="group" aria-label={`Rule ${index + 1}`}>
                <Group align="flex-start" wrap="nowrap">
                  <Stack gap="xs" flex={1}>
                    <TextInput
                      label="Pattern"
                      placeholder="chat:*"
                      maxLength={200}
                      autoComplete="off"
                      spellCheck={false}
                      {...form.getInputProps(`${path}.pattern`)}
                    />
                    <Checkbox.Group label="May" {...form.getInputProps(`${path}.actions`)}>
                      <Group gap="md" mt={4}>
                        {ACTIONS.map((action) => (
                          <Checkbox key={action} value={action} label={action} />
                        ))}
                      </Group>
                    </Checkbox.Group>
                  </Stack>
                  {remove}
                </Group>
              </Paper>
            )}
          </RowList>
        </Stack>
      )}
      <ModeChoice
        label="Broadcasts reach"
        description="A broadcast is a message without a channel."
        error={errorAt(form, "broadcastTo")}
        modes={BROADCASTS}
        value={form.values.broadcastTo}
        onChange={(next) => form.setFieldValue("broadcastTo", next)}
      />
    </Stack>
  );
}

const KINDS = [
  { value: "calls", label: "Calls" },
  { value: "joins", label: "Joins" },
  { value: "reads", label: "Reads" },
];
const PER = [
  { value: "connection", label: "Connection" },
  { value: "address", label: "Address" },
  { value: "client", label: "Client" },
  { value: "key", label: "Key" },
];

/** How often. */
export function LimitsTab({ form }: { readonly form: KeyForm }) {
  const { limits } = form.values;
  return (
    <Stack>
      <div>
        <Text fw={500} size="sm">
          Limits
        </Text>
        <Text size="xs" c="dimmed">
          How often something may be asked within a window of time, counted for each connection, address,
          client or the whole key. Calls are publishes, broadcasts and endpoint calls; joins are joins, leaves
          and profile updates; reads are lists of members and channels, and history.
        </Text>
      </div>
      {errorAt(form, "limits") !== undefined && (
        <Text size="sm" c="var(--mantine-color-error)">
          {errorAt(form, "limits")}
        </Text>
      )}
      {limits.length === 0 && <Text size="sm">This key has no limits of its own.</Text>}
      <RowList form={form} path="limits" rows={limits} noun="limit" makeRow={newLimit}>
        {({ index, path, remove }) => (
          <Paper className="panel" p="sm" role="group" aria-label={`Limit ${index + 1}`}>
            <Group align="flex-start" gap="sm">
              <TextInput
                label="Name"
                placeholder="burst"
                maxLength={32}
                flex="1 1 8rem"
                {...form.getInputProps(`${path}.name`)}
              />
              <NumberInput
                label="At most"
                allowDecimal={false}
                allowNegative={false}
                flex="1 1 6rem"
                {...form.getInputProps(`${path}.limit`)}
              />
              <NumberInput
                label="Within seconds"
                allowNegative={false}
                flex="1 1 6rem"
                {...form.getInputProps(`${path}.windowSeconds`)}
              />
              <NativeSelect
                label="Counts"
                data={KINDS}
                flex="1 1 6rem"
                {...form.getInputProps(`${path}.kind`)}
              />
              <NativeSelect
                label="For each"
                data={PER}
                flex="1 1 7rem"
                {...form.getInputProps(`${path}.per`)}
              />
              <Box mt={25}>{remove}</Box>
            </Group>
          </Paper>
        )}
      </RowList>
    </Stack>
  );
}
