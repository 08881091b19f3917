import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { Router } from "wouter";
import { queries } from "./api/queries.ts";
import { requestOnce } from "./api/request.ts";
import { isSession, session, useSessionState } from "./api/session.ts";
import { styleNonce } from "./nonce.ts";
import { useHasWords } from "./parts/tell.ts";
import { guardedNavigation } from "./parts/unsaved.ts";
import { Shell } from "./shell/shell.tsx";
import { SignInPage } from "./shell/sign-in.tsx";
import { Waiting } from "./shell/waiting.tsx";
import { theme, variables } from "./theme.ts";

// Loaded with the first word.
const Words = lazy(async () => ({ default: (await import("./parts/words.tsx")).Words }));

export function App() {
  const hasWords = useHasWords();
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
    >
      <QueryClientProvider client={queries}>
        <Router base="/console" aroundNav={guardedNavigation}>
          <Door />
          <Suspense>{hasWords && <Words />}</Suspense>
        </Router>
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** The console for whoever has a session, the sign-in for whoever has none. */
function Door() {
  const state = useSessionState();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (state !== "unknown") return;
    let timer: number | undefined;
    requestOnce("/session", isSession).then(
      () => session.opened(),
      (error: unknown) => {
        if (error instanceof Error && error.name === "ApiError") session.missed();
        else timer = window.setTimeout(() => setAttempt(attempt + 1), 1_500);
      },
    );
    return () => window.clearTimeout(timer);
  }, [state, attempt]);
  if (state === "unknown") return <Waiting isOffline={attempt > 0} />;
  return state === "signed-out" ? <SignInPage /> : <Shell />;
}
