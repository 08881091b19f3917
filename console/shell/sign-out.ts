import { queries } from "../api/queries.ts";
import { requestOnce } from "../api/request.ts";
import { session } from "../api/session.ts";
import { isAnything } from "../api/shape.ts";
import { drafts } from "../parts/drafts.ts";

/** Set while somebody has signed out here and the server does not know it yet. */
const PENDING = "sluice-signing-out";
const AGAIN_AFTER_MS = 5_000;

/** Ends the session here at once, and on the server as soon as it can be reached: also after the page was loaded anew. */
export function signOut(): Promise<void> {
  mark(true);
  drafts.forget();
  session.signedOut();
  queries.clear();
  return endOnServer();
}

/** Whether a sign-out has not come to the server. Its cookie is no permission to show anything here. */
export function isSigningOut(): boolean {
  try {
    return localStorage.getItem(PENDING) !== null;
  } catch {
    return false;
  }
}

/** Whoever signs in has a new session, which nobody has left. */
export function signedIn(): void {
  mark(false);
  session.opened();
}

/** Goes on until the server has heard of it, or somebody signs in. */
export async function endOnServer(): Promise<void> {
  for (;;) {
    if (!isSigningOut()) return;
    try {
      await requestOnce("/session", isAnything, { method: "DELETE" });
      mark(false);
      return;
    } catch (error) {
      // An answer of the server: there is no such session any more.
      if (error instanceof Error && error.name === "ApiError") {
        mark(false);
        return;
      }
    }
    await new Promise((resolve) => window.setTimeout(resolve, AGAIN_AFTER_MS));
  }
}

function mark(isPending: boolean): void {
  try {
    if (isPending) localStorage.setItem(PENDING, "1");
    else localStorage.removeItem(PENDING);
  } catch {
    // Not allowed: then the page forgets, as long as it is open.
  }
}
