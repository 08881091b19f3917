import { Button, Group, Loader, Stack, Text } from "@mantine/core";
import { CopyAction } from "../parts/copy.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { part } from "../parts/part.tsx";
import { secretToShow, useSecretToShow } from "./secret-to-show.ts";

const Snippets = part(async () => (await import("./snippets.tsx")).Snippets, {
  waiting: <Loader size="sm" aria-label="Loading" />,
});
Snippets.preload();

/** The secret, once: copied here, or lost. */
export function SecretDialog() {
  const shown = useSecretToShow();
  return (
    <Dialog
      opened={shown !== undefined}
      onClose={() => secretToShow.forget()}
      title={shown?.reason === "rotated" ? "The new secret" : "Your key is ready"}
      size="lg"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      zIndex={300}
    >
      {shown !== undefined && (
        <Stack>
          <Text size="sm">
            This is the secret of “{shown.name}”. It is shown this once: copy it to where it is used.
          </Text>
          <div className="secret" data-testid="secret">
            {shown.secret}
          </div>
          <Group>
            <CopyAction text={shown.secret} label="Copy the secret" variant="filled" />
          </Group>
          <Snippets secret={shown.secret} settings={shown.settings} />
          <Group justify="flex-end">
            <Button variant="default" onClick={() => secretToShow.forget()}>
              I have stored it
            </Button>
          </Group>
        </Stack>
      )}
    </Dialog>
  );
}
