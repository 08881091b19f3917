import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Router } from "wouter";
import { queries } from "./api/queries.ts";
import { requestOnce } from "./api/request.ts";
import { isSession, session, useSessionState } from "./api/session.ts";
import { styleNonce } from "./nonce.ts";
import { Boundary } from "./parts/boundary.tsx";
import { guardedNavigation } from "./parts/unsaved.ts";
import { Words } from "./parts/words.tsx";
import { Shell } from "./shell/shell.tsx";
import { SignInPage } from "./shell/sign-in.tsx";
import { endOnServer, isSigningOut } from "./shell/sign-out.ts";
import { Waiting } from "./shell/waiting.tsx";
import { theme, variables } from "./theme.ts";

export function App() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
      // Twice, so that it wins over the style sheet wherever that stands.
      cssVariablesSelector=":root:root"
    >
      <QueryClientProvider client={queries}>
        <Router base="/console" aroundNav={guardedNavigation}>
          <Boundary>
            <Door />
          </Boundary>
          <Words />
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
    if (isSigningOut()) {
      session.missed();
      void endOnServer();
      return;
    }
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
