import { Button, Center, Paper, PasswordInput, Stack, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { messageOf } from "../api/problem.ts";
import { requestOnce } from "../api/request.ts";
import { isSession } from "../api/session.ts";
import { Mark } from "./mark.tsx";
import { signedIn } from "./sign-out.ts";

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

/** The token, and what the server says of it. */
export function SignInForm() {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await requestOnce("/session", isSession, { method: "POST", body: { token: token.trim() } });
      signedIn();
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
