import { setImmediate as nextTurn } from "node:timers/promises";
import type { KeyChange, KeyChangeListener } from "./key-store.ts";

/** Changes told between two turns of the event loop: a listener may have work with each. */
const SLICE = 100;

/** Who hears of changes. A listener that throws stops neither the others nor the write. */
export class ChangeFeed {
  readonly #onListenerError: (error: unknown) => void;
  readonly #listeners = new Set<KeyChangeListener>();

  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  /** @returns ends the subscription */
  subscribe(listener: KeyChangeListener): () => void {
    // Its own function for each call, so that ending one subscription of a listener leaves the others.
    const own: KeyChangeListener = (change) => listener(change);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  tell(change: KeyChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  async tellAll(changes: readonly KeyChange[]): Promise<void> {
    for (const [index, change] of changes.entries()) {
      if (index > 0 && index % SLICE === 0) await nextTurn();
      this.tell(change);
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
