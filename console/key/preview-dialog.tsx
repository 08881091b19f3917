import { Button, Group, Modal, Stack, Table, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import type { KeyPreview } from "../api/keys.ts";

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
  const [shown, setShown] = useState(question);
  useEffect(() => {
    if (question !== undefined) setShown(question);
  }, [question]);
  const confirm = (): void => {
    onClose();
    question?.go();
  };
  return (
    <Modal opened={question !== undefined} onClose={onClose} title="Before you save" size="lg" centered>
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
    </Modal>
  );
}

function Reasons({ preview }: { readonly preview: KeyPreview }) {
  const { byCode, examples } = preview;
  return (
    <>
      <Text size="sm">
        {Object.entries(byCode).map(([code, number]) => (
          <span key={code}>
            <span className="mono">{code}</span>: {number.toLocaleString("en")}
            <br />
          </span>
        ))}
      </Text>
      {examples.length > 0 && (
        <div className="fits">
          <Table fz="sm" captionSide="top" layout="auto">
            <Table.Caption ta="left">Examples</Table.Caption>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Address</Table.Th>
                <Table.Th>Origin</Table.Th>
                <Table.Th>Why</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {examples.map(({ connectionId, ip, origin, channel, message }) => (
                <Table.Tr key={`${connectionId} ${channel ?? ""}`}>
                  <Table.Td>{ip ?? "unknown"}</Table.Td>
                  <Table.Td>{origin ?? "none"}</Table.Td>
                  <Table.Td>
                    {channel === undefined ? "" : `leaves ${channel}: `}
                    {message}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </>
  );
}
