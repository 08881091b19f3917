import { Button, Group, Paper, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { publish } from "../api/live-queries.ts";
import { messageOf } from "../api/problem.ts";

/** A message from the operator to the channel, as a server would send it. */
export function PublishForm({ channel }: { readonly channel: string }) {
  const [eventName, setEventName] = useState("test");
  const [text, setText] = useState('{ "text": "hello" }');
  const [error, setError] = useState<string>();
  const [said, setSaid] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSaid(undefined);
    setError(undefined);
    const parsed = parse(text);
    if (parsed === undefined) {
      setError("This is not JSON. Text goes in quotes.");
      return;
    }
    setBusy(true);
    try {
      const { offset } = await publish(channel, eventName, parsed.value);
      setSaid(`Published, number ${offset.toLocaleString("en")} of this channel.`);
    } catch (failure) {
      setError(messageOf(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Paper className="panel" p="md">
      <form onSubmit={(event) => void send(event)}>
        <Stack gap="sm">
          <Title order={2} size="h5">
            Publish a test message
          </Title>
          <TextInput
            label="Event name"
            value={eventName}
            onChange={(event) => setEventName(event.currentTarget.value)}
          />
          <Textarea
            label="Message, as JSON"
            autosize
            minRows={2}
            maxRows={10}
            spellCheck={false}
            value={text}
            error={error}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            onChange={(event) => setText(event.currentTarget.value)}
          />
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

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
