import { useSyncExternalStore } from "react";
import { isText, objectOf, orNull } from "./shape.ts";
import type { Session as OpenSession } from "./types.ts";

/** What the server answers to whoever has a session. */
export const isSession = objectOf<OpenSession>({ expiresAt: isText, address: orNull(isText) });

/**
 * `ended`: it was open and is no more. Pages stay as they are behind the sign-in, and requests that met the end wait
 * for the next session and are sent again.
 */
export type SessionState = "unknown" | "open" | "ended" | "signed-out";

type Waiting = { readonly resolve: () => void; readonly reject: (reason: Error) => void };

class Session {
  #state: SessionState = "unknown";
  #waiting: Waiting[] = [];
  readonly #listeners = new Set<() => void>();

  get state(): SessionState {
    return this.#state;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  opened(): void {
    this.#become("open");
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  signedOut(): void {
    this.#become("signed-out");
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("You signed out."));
  }

  /** Someone was told that there is no session (any more). */
  missed(): void {
    if (this.#state === "open") this.#become("ended");
    else if (this.#state === "unknown") this.#become("signed-out");
  }

  /** Resolves when there is a session again, rejects when the user signs out instead. */
  renewed(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #become(state: SessionState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

export const session = new Session();

export function useSessionState(): SessionState {
  return useSyncExternalStore(session.subscribe, () => session.state);
}
