import { useSyncExternalStore } from "react";

export type ShownSecret = {
  readonly name: string;
  readonly secret: string;
  /** Of its key. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly reason: "created" | "rotated";
};

/** The one secret that the server has just handed out. It is nowhere else, and gone when its dialog is closed. */
class SecretToShow {
  #secret: ShownSecret | undefined;
  readonly #listeners = new Set<() => void>();

  get secret(): ShownSecret | undefined {
    return this.#secret;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  show(secret: ShownSecret): void {
    this.#become(secret);
  }

  forget(): void {
    this.#become(undefined);
  }

  #become(secret: ShownSecret | undefined): void {
    this.#secret = secret;
    for (const listener of this.#listeners) listener();
  }
}

export const secretToShow = new SecretToShow();

export function useSecretToShow(): ShownSecret | undefined {
  return useSyncExternalStore(secretToShow.subscribe, () => secretToShow.secret);
}
