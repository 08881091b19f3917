import { useSyncExternalStore } from "react";
import { drafts } from "./drafts.ts";
import { unsaved } from "./unsaved.ts";

/** Where the console begins. Its answer names the newest files. */
const INDEX = "/console/";

/** Knows whether the server has a newer console than this page. */
class Updates {
  #isNewer = false;
  #asking = false;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get isNewer(): boolean {
    return this.#isNewer;
  }

  /** Asks the server. What cannot be asked now is asked with the next occasion. */
  async look(): Promise<void> {
    const own = document.querySelector<HTMLScriptElement>("script[type=module][src]")?.getAttribute("src");
    if (this.#isNewer || this.#asking || own === null || own === undefined) return;
    this.#asking = true;
    try {
      const answer = await fetch(INDEX, { cache: "no-store", credentials: "same-origin" });
      if (!answer.ok || (await answer.text()).includes(own)) return;
      this.#isNewer = true;
      for (const listener of this.#listeners) listener();
    } catch {
      // The server is away, which is said elsewhere.
    } finally {
      this.#asking = false;
    }
  }

  /** Loads the newest console. What is typed and not saved is there again afterwards. */
  reload(): void {
    drafts.keep();
    unsaved.release();
    location.reload();
  }
}

export const updates = new Updates();

export function useIsUpdated(): boolean {
  return useSyncExternalStore(updates.subscribe, () => updates.isNewer);
}
