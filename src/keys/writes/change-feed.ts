import { TurnSlices } from "../../lib/turn-slices.ts";
import type { KeyChange, KeyChangeListener } from "../key-store.ts";

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

  /** @returns what resolves when the listeners have done with it, if one of them takes its time; it never rejects. */
  tell(change: KeyChange): Promise<unknown> | undefined {
    const open: Promise<void>[] = [];
    for (const listener of [...this.#listeners]) {
      try {
        const done = listener(change);
        if (done instanceof Promise) open.push(done.catch(this.#onListenerError));
      } catch (error) {
        this.#onListenerError(error);
      }
    }
    return open.length === 0 ? undefined : Promise.all(open);
  }

  async tellAll(changes: readonly KeyChange[]): Promise<void> {
    const open: Promise<unknown>[] = [];
    const slices = new TurnSlices();
    for (const change of changes) {
      // A listener may have work with each.
      await slices.pause();
      const told = this.tell(change);
      if (told !== undefined) open.push(told);
    }
    await Promise.all(open);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
