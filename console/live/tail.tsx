import { Button, Group, Paper, ScrollArea, Stack, Text, Title } from "@mantine/core";
import { memo, useState } from "react";
import type { ChannelMessage } from "../api/types.ts";
import { Foreign } from "../parts/visible.tsx";
import { LINES_MAX, type Line, useTail } from "./use-tail.ts";

const SHORT_CHARS = 300;
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** A channel's messages as they come. */
export function Tail({ channel }: { readonly channel: string }) {
  const { hasBegun, lines, isPaused, waiting, togglePause, clear } = useTail(channel);
  return (
    <Paper className="panel" p="md">
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2} size="h5">
            Messages
          </Title>
          <Group gap="xs">
            <Button size="xs" variant="default" onClick={togglePause}>
              {isPaused ? (waiting > 0 ? `Go on (${waiting.toLocaleString("en")} new)` : "Go on") : "Pause"}
            </Button>
            <Button size="xs" variant="default" disabled={lines.length === 0} onClick={clear}>
              Clear
            </Button>
          </Group>
        </Group>
        {lines.length === 0 && (
          <Text size="sm" c="dimmed" data-testid="tail-state">
            {isPaused ? "Paused." : hasBegun ? "Waiting for messages…" : "Connecting…"}
          </Text>
        )}
        <ScrollArea.Autosize
          mah={360}
          type="auto"
          viewportProps={{ tabIndex: 0, role: "region", "aria-label": "Messages" }}
        >
          <ul className="checks tail" data-testid="tail">
            {lines.map((line) => (
              <TailLine key={line.key} line={line} />
            ))}
          </ul>
        </ScrollArea.Autosize>
        {lines.length === LINES_MAX && (
          <Text size="xs" c="dimmed">
            The newest {LINES_MAX} are kept.
          </Text>
        )}
      </Stack>
    </Paper>
  );
}

const TailLine = memo(function TailLine({ line }: { readonly line: Line }) {
  return (
    <li data-kind={line.kind}>
      {line.kind === "message" ? (
        <MessageText message={line.message} />
      ) : (
        <Text size="sm" c="dimmed">
          {wordsOf(line)}
        </Text>
      )}
    </li>
  );
});

function wordsOf(line: Exclude<Line, { readonly kind: "message" }>): string {
  switch (line.kind) {
    case "dropped":
      return `${line.count.toLocaleString("en")} messages are not shown: there are too many.`;
    case "gap":
      return "The connection was away: messages of that time are not shown.";
    case "refused":
      return "There can be no channel of this name.";
  }
}

/** Who sent a message, in the words of the page. */
function senderWords(from: ChannelMessage["from"]): string {
  if (from === null) return "the server";
  if (from.id !== null) return from.id;
  return from.key === null ? "over HTTP, without a key" : `over HTTP, ${from.key}`;
}

function MessageText({ message }: { readonly message: ChannelMessage }) {
  const { eventName, timestamp, from, text, truncated } = message;
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > SHORT_CHARS;
  return (
    <div>
      <Text size="xs" c="dimmed">
        {clock.format(timestamp)} · <Foreign text={eventName} className="mono" /> ·{" "}
        <Foreign text={senderWords(from)} />
      </Text>
      <Text size="sm" className="mono">
        <Foreign text={isLong && !isWhole ? text.slice(0, SHORT_CHARS) : text} />
        {(isLong && !isWhole) || truncated ? "…" : ""}
      </Text>
      {isLong && (
        <Button size="compact-xs" variant="subtle" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show less" : "Show more"}
        </Button>
      )}
      {isWhole && truncated && (
        <Text size="xs" c="dimmed">
          The rest is too long to be shown here.
        </Text>
      )}
    </div>
  );
}
