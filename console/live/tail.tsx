import { Button, Group, Paper, ScrollArea, Stack, Text, Title } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { live } from "../api/live-stream.ts";
import type { ChannelMessage } from "../api/live-types.ts";

type Line =
  | { readonly kind: "message"; readonly key: number; readonly message: ChannelMessage }
  | { readonly kind: "dropped"; readonly key: number; readonly count: number };

const LINES_MAX = 200;
const PAINT_MS = 200;
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** A channel's messages as they come, the newest first. Stays calm however many there are. */
export function Tail({ channel }: { readonly channel: string }) {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [isPaused, setPaused] = useState(false);
  const paused = useRef(isPaused);
  paused.current = isPaused;

  useEffect(() => {
    let last = 0;
    let pending: Line[] = [];
    // A few times a second, not for each message.
    const timer = window.setInterval(() => {
      if (pending.length === 0 || paused.current) return;
      const fresh = pending.reverse();
      pending = [];
      setLines((before) => [...fresh, ...before].slice(0, LINES_MAX));
    }, PAINT_MS);
    const stop = live.watch(channel, (event) => {
      last += 1;
      const line: Line =
        "dropped" in event
          ? { kind: "dropped", key: last, count: event.dropped }
          : { kind: "message", key: last, message: event };
      pending = [...pending, line].slice(-LINES_MAX);
    });
    return () => {
      window.clearInterval(timer);
      stop();
    };
  }, [channel]);

  return (
    <Paper className="panel" p="md">
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2} size="h5">
            Messages
          </Title>
          <Group gap="xs">
            <Button size="xs" variant="default" onClick={() => setPaused(!isPaused)}>
              {isPaused ? "Go on" : "Pause"}
            </Button>
            <Button size="xs" variant="default" disabled={lines.length === 0} onClick={() => setLines([])}>
              Clear
            </Button>
          </Group>
        </Group>
        {lines.length === 0 && <Text size="sm">Waiting for messages…</Text>}
        <ScrollArea.Autosize mah={360} type="auto" viewportProps={{ tabIndex: 0, "aria-label": "Messages" }}>
          <ul className="checks" data-testid="tail">
            {lines.map((line) => (
              <li key={line.key} className="refusal">
                {line.kind === "dropped" ? (
                  <Text size="sm" c="dimmed">
                    {line.count.toLocaleString("en")} messages are not shown: there are too many.
                  </Text>
                ) : (
                  <MessageText message={line.message} />
                )}
              </li>
            ))}
          </ul>
        </ScrollArea.Autosize>
      </Stack>
    </Paper>
  );
}

function MessageText({
  message: { eventName, timestamp, from, text, truncated },
}: {
  readonly message: ChannelMessage;
}) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {clock.format(timestamp)} · <span className="mono">{eventName}</span> · {from?.id ?? "a server"}
      </Text>
      <Text size="sm" className="mono">
        {text}
        {truncated ? "…" : ""}
      </Text>
    </div>
  );
}
