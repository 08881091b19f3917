import { Text } from "@mantine/core";
import { closeConnection } from "../api/live-queries.ts";
import { ApiError, messageOf } from "../api/problem.ts";
import { queries } from "../api/queries.ts";
import type { Connection } from "../api/types.ts";
import { Dialog } from "../parts/dialog.tsx";
import { DialogForm } from "../parts/dialog-form.tsx";
import { useLast } from "../parts/once.ts";
import { tell } from "../parts/tell.ts";
import { Foreign } from "../parts/visible.tsx";

type CloseDialogProps = { readonly connection: Connection | undefined; readonly onClose: () => void };

/** Asks before a connection is closed. */
export function CloseDialog({ connection, onClose }: CloseDialogProps) {
  const shown = useLast(connection);
  return (
    <Dialog opened={connection !== undefined} onClose={onClose} title="Close this connection?" centered>
      {shown !== undefined && (
        <DialogForm
          verb="Close it"
          isDangerous
          isCancelFirst
          run={() => close(shown.id)}
          onClose={onClose}
          failureText={messageOf}
        >
          <Text size="sm">
            <span className="mono">{shown.id}</span>, from {shown.address ?? "an unknown address"}
            {shown.keyId !== null && (
              <>
                , with the key <Foreign text={shown.keyName ?? shown.keyId} />
              </>
            )}
            .
          </Text>
          <Text size="sm">
            The client is told so and stays away. Its key still works: to keep it out, change the key.
          </Text>
        </DialogForm>
      )}
    </Dialog>
  );
}

async function close(id: string): Promise<void> {
  try {
    await closeConnection(id);
    tell("The connection is closed.");
  } catch (failure) {
    if (!(failure instanceof ApiError && failure.status === 404)) throw failure;
    tell("The connection was gone already.");
  } finally {
    void queries.invalidateQueries({ queryKey: ["connections"] });
  }
}
