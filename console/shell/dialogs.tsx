import { useSessionState } from "../api/session.ts";
import { useSecretToShow } from "../key/secret-to-show.ts";
import { useOnce } from "../parts/once.ts";
import { part } from "../parts/part.tsx";
import { useLeaving } from "../parts/unsaved.ts";

// No page begins with a dialog: what they are made of is no part of the first load.
const isDialog = true;
const SecretDialog = part(async () => (await import("../key/secret-dialog.tsx")).SecretDialog, { isDialog });
const LeaveDialog = part(async () => (await import("./leave-dialog.tsx")).LeaveDialog, { isDialog });
const SignInAgain = part(async () => (await import("./sign-in-again.tsx")).SignInAgain, { isDialog });

/** They are asked for when the server or the line may be away. */
export function preloadDialogs(): void {
  for (const dialog of [SecretDialog, LeaveDialog, SignInAgain]) dialog.preload();
}

/** The dialogs that may come over any page. */
export function Dialogs() {
  const hasEnded = useSessionState() === "ended";
  const needsSecret = useOnce(useSecretToShow() !== undefined);
  const needsLeave = useOnce(useLeaving() !== undefined);
  const needsSignIn = useOnce(hasEnded);
  return (
    <>
      {needsSecret && <SecretDialog />}
      {needsLeave && <LeaveDialog />}
      {needsSignIn && <SignInAgain opened={hasEnded} />}
    </>
  );
}
