import { Button, Group, Paper, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { publish } from "../api/live-queries.ts";
import { ApiError, messageOf } from "../api/problem.ts";

type Faults = { readonly eventName?: string; readonly message?: string; readonly other?: string };

/** A message from the operator to the channel, as a server would send it. */
export function PublishForm({ channel }: { readonly channel: string }) {
  const [eventName, setEventName] = useState("test");
  const [text, setText] = useState('{ "text": "hello" }');
  const [faults, setFaults] = useState<Faults>({});
  const [said, setSaid] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSaid(undefined);
    setFaults({});
    const parsed = parse(text);
    if ("fault" in parsed) {
      setFaults({ message: parsed.fault });
      return;
    }
    setBusy(true);
    try {
      const { offset } = await publish(channel, eventName, parsed.value);
      setSaid(`Published, number ${offset.toLocaleString("en")} of this channel.`);
    } catch (failure) {
      setFaults(faultsOf(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Paper className="panel" p="md">
      <form aria-label="Publish a test message" noValidate onSubmit={(event) => void send(event)}>
        <Stack gap="sm">
          <Title order={2} size="h5">
            Publish a test message
          </Title>
          <TextInput
            label="Event name"
            spellCheck={false}
            autoCapitalize="none"
            value={eventName}
            error={faults.eventName}
            onChange={(event) => setEventName(event.currentTarget.value)}
          />
          <Textarea
            label="Message, as JSON"
            autosize
            minRows={2}
            maxRows={10}
            spellCheck={false}
            value={text}
            error={faults.message}
            classNames={{ input: "mono" }}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          {faults.other !== undefined && (
            <Text size="sm" c="var(--mantine-color-error)" role="alert">
              {faults.other}
            </Text>
          )}
          <Group>
            <Button type="submit" loading={isBusy}>
              Publish
            </Button>
            <Text size="sm" c="dimmed" role="status">
              {said}
            </Text>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}

function faultsOf(failure: unknown): Faults {
  const message = messageOf(failure);
  if (!(failure instanceof ApiError)) return { other: message };
  if (failure.code === "invalid_event_name" || failure.code === "reserved_event")
    return { eventName: message };
  if (failure.code === "invalid_message" || failure.status === 413) return { message };
  return { other: message };
}

function parse(text: string): { readonly value: unknown } | { readonly fault: string } {
  if (text.trim() === "") return { fault: "A message is JSON; an empty one is null." };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it cannot be read";
    return { fault: `This is not JSON: ${reason}. Text goes in quotes.` };
  }
}
