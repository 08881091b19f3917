import { Button, Stack, Text } from "@mantine/core";
import { Dialog } from "../parts/dialog.tsx";
import { SignInForm } from "./sign-in.tsx";
import { signOut } from "./sign-out.ts";

/** Over the page, when the session ended: what is in its forms stays. */
export function SignInAgain({ opened }: { readonly opened: boolean }) {
  return (
    <Dialog
      opened={opened}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Your session ended"
      zIndex={400}
      centered
    >
      <Stack>
        <Text size="sm">Sign in again. Everything on this page stays as you left it.</Text>
        <SignInForm />
        <Button variant="subtle" onClick={() => void signOut()}>
          Leave instead
        </Button>
      </Stack>
    </Dialog>
  );
}
