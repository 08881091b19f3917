import { lazy, Suspense } from "react";
import { useSessionState } from "../api/session.ts";
import { useSecretToShow } from "../key/secret-to-show.ts";
import { useOnce } from "../parts/once.ts";
import { useLeaving } from "../parts/unsaved.ts";

// No page begins with a dialog: what they are made of is no part of the first load.
const SecretDialog = lazy(async () => ({
  default: (await import("../key/secret-dialog.tsx")).SecretDialog,
}));
const LeaveDialog = lazy(async () => ({
  default: (await import("./leave-dialog.tsx")).LeaveDialog,
}));
const SignInAgain = lazy(async () => ({
  default: (await import("./sign-in-again.tsx")).SignInAgain,
}));

/** The dialogs that may come over any page. */
export function Dialogs() {
  const hasEnded = useSessionState() === "ended";
  const needsSecret = useOnce(useSecretToShow() !== undefined);
  const needsLeave = useOnce(useLeaving() !== undefined);
  const needsSignIn = useOnce(hasEnded);
  return (
    <Suspense>
      {needsSecret && <SecretDialog />}
      {needsLeave && <LeaveDialog />}
      {needsSignIn && <SignInAgain opened={hasEnded} />}
    </Suspense>
  );
}
