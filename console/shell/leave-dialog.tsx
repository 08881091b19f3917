import { Button, Group, Stack, Text } from "@mantine/core";
import { Dialog } from "../parts/dialog.tsx";
import { unsaved, useLeaving } from "../parts/unsaved.ts";

/** Asks whoever is about to lose what they have not saved. */
export function LeaveDialog() {
  const leave = useLeaving();
  return (
    <Dialog
      opened={leave !== undefined}
      onClose={() => unsaved.answer(false)}
      title="Leave without saving?"
      centered
    >
      <Stack>
        <Text size="sm">This key has changes that are not saved.</Text>
        <Group justify="flex-end">
          <Button variant="default" data-autofocus onClick={() => unsaved.answer(false)}>
            Stay
          </Button>
          <Button color="red" onClick={() => unsaved.answer(true)}>
            Leave
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
