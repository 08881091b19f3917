import { Button, Group, Stack, Text } from "@mantine/core";
import type { KeyPreview } from "../api/keys.ts";
import { sentence } from "../api/problem.ts";
import { Dialog } from "../parts/dialog.tsx";
import { useLast } from "../parts/once.ts";

export type PreviewQuestion = { readonly preview: KeyPreview; readonly go: () => void };

type PreviewDialogProps = { readonly question: PreviewQuestion | undefined; readonly onClose: () => void };

const count = (number: number, one: string, many: string): string =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/** "This will close 132 of 1,204 connections." */
export function closingText({ closing, leaving, total }: KeyPreview): string {
  const parts = [];
  if (closing > 0) {
    parts.push(`close ${closing.toLocaleString("en")} of ${count(total, "connection", "connections")}`);
  }
  if (leaving > 0) parts.push(`end ${count(leaving, "channel membership", "channel memberships")}`);
  return parts.length === 0 ? "This closes no connection." : `This will ${parts.join(" and ")}.`;
}

/** Before a change that somebody will feel: who. */
export function PreviewDialog({ question, onClose }: PreviewDialogProps) {
  const shown = useLast(question);
  const confirm = (): void => {
    onClose();
    question?.go();
  };
  return (
    <Dialog opened={question !== undefined} onClose={onClose} title="Before you save" size="lg" centered>
      {shown !== undefined && (
        <Stack>
          <Text fw={600}>{closingText(shown.preview)}</Text>
          <Reasons preview={shown.preview} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose} data-autofocus>
              Keep editing
            </Button>
            <Button color="red" onClick={confirm}>
              {shown.preview.closing > 0
                ? `Save and close ${shown.preview.closing.toLocaleString("en")}`
                : "Save"}
            </Button>
          </Group>
        </Stack>
      )}
    </Dialog>
  );
}

const SHOWN_MAX = 5;
const EXAMPLES_MAX = 3;

function Reasons({ preview }: { readonly preview: KeyPreview }) {
  const { byCode, byOrigin, examples } = preview;
  const origins = Object.entries(byOrigin).toSorted(([, a], [, b]) => b - a);
  return (
    <>
      <Counts title="Why" counts={Object.entries(byCode)} />
      <Counts
        title="From"
        counts={origins.map(([origin, n]) => [origin === "none" ? "no origin" : origin, n])}
      />
      {examples.length > 0 && (
        <div>
          <Text size="sm" fw={600}>
            Examples
          </Text>
          <ul className="checks" aria-label="Examples">
            {examples.slice(0, EXAMPLES_MAX).map(({ connectionId, ip, origin, channel, message }) => (
              <li key={`${connectionId} ${channel ?? ""}`} className="refusal">
                <div>
                  <Text size="sm">
                    {origin ?? "no origin"} · {ip ?? "unknown address"}
                    {channel === undefined ? "" : ` · leaves ${channel}`}
                  </Text>
                  <Text size="sm" c="dimmed">
                    {sentence(message)}
                  </Text>
                </div>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

function Counts({
  title,
  counts,
}: {
  readonly title: string;
  readonly counts: readonly (readonly [string, number])[];
}) {
  if (counts.length === 0) return null;
  const rest = counts.slice(SHOWN_MAX).reduce((sum, [, number]) => sum + number, 0);
  return (
    <div>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      {counts.slice(0, SHOWN_MAX).map(([what, number]) => (
        <Text key={what} size="sm">
          <span className="mono">{what}</span>: {number.toLocaleString("en")}
        </Text>
      ))}
      {rest > 0 && (
        <Text size="sm" c="dimmed">
          and {rest.toLocaleString("en")} more
        </Text>
      )}
    </div>
  );
}
