import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { closeConnection } from "../api/live-queries.ts";
import { ApiError, messageOf } from "../api/problem.ts";
import { queries } from "../api/queries.ts";
import type { Connection } from "../api/types.ts";
import { tell } from "../parts/tell.ts";
import { Foreign } from "../parts/visible.tsx";

type CloseDialogProps = { readonly connection: Connection | undefined; readonly onClose: () => void };

/** Asks before a connection is closed. */
export function CloseDialog({ connection, onClose }: CloseDialogProps) {
  // Keeps its words while it fades out.
  const [shown, setShown] = useState(connection);
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    if (connection === undefined) return;
    setShown(connection);
    setError(undefined);
  }, [connection]);
  const close = async (id: string): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await closeConnection(id);
      tell("The connection is closed.");
      onClose();
    } catch (failure) {
      if (failure instanceof ApiError && failure.status === 404) {
        tell("The connection was gone already.");
        onClose();
      } else setError(messageOf(failure));
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: ["connections"] });
    }
  };
  return (
    <Modal opened={connection !== undefined} onClose={onClose} title="Close this connection?" centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (shown !== undefined) void close(shown.id);
        }}
      >
        <Stack>
          {shown !== undefined && (
            <Text size="sm">
              <span className="mono">{shown.id}</span>, from {shown.address ?? "an unknown address"}
              {shown.keyId !== null && (
                <>
                  , with the key <Foreign text={shown.keyName ?? shown.keyId} />
                </>
              )}
              .
            </Text>
          )}
          <Text size="sm">
            The client is told so and stays away. Its key still works: to keep it out, change the key.
          </Text>
          {error !== undefined && (
            <Text size="sm" c="var(--mantine-color-error)" role="alert">
              {error}
            </Text>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose} data-autofocus>
              Cancel
            </Button>
            <Button color="red" type="submit" loading={isBusy}>
              Close it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
