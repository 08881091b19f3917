import { Button, Center, Modal, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { messageOf } from "../api/problem.ts";
import { queries } from "../api/queries.ts";
import { requestOnce } from "../api/request.ts";
import { session } from "../api/session.ts";
import { Mark } from "./mark.tsx";

/** The whole page, for whoever has not signed in. */
export function SignInPage() {
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper className="panel" p="xl" w="100%" maw={400}>
        <Stack>
          <Mark />
          <Title order={1} size="h3">
            Sign in
          </Title>
          <SignInForm />
        </Stack>
      </Paper>
    </Center>
  );
}

/** Over the page, when the session ended: what is in its forms stays. */
export function SignInAgain({ opened }: { readonly opened: boolean }) {
  return (
    <Modal
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
    </Modal>
  );
}

export async function signOut(): Promise<void> {
  // Gone on the server or not reachable: this page forgets all the same.
  await requestOnce("/session", { method: "DELETE" }).catch(() => undefined);
  session.signedOut();
  queries.clear();
}

function SignInForm() {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await requestOnce("/session", { method: "POST", body: { token: token.trim() } });
      session.opened();
    } catch (failure) {
      setError(messageOf(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <PasswordInput
          label="Admin token"
          description="Shown when the server first started, or SLUICE_ADMIN_TOKEN."
          autoComplete="current-password"
          data-autofocus
          autoFocus
          required
          value={token}
          error={error}
          aria-invalid={error !== undefined}
          errorProps={{ role: "alert" }}
          visibilityToggleButtonProps={{ tabIndex: 0, "aria-label": "Show the token" }}
          onChange={(event) => setToken(event.currentTarget.value)}
        />
        <Button type="submit" loading={isBusy} disabled={token.trim() === ""}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
