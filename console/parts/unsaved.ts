import { useEffect, useSyncExternalStore } from "react";

type Guard = { readonly isInside: (path: string) => boolean };
type Leave = () => void;

/** Whoever has changes that are not saved stands here; who wants to leave is asked first. */
class Unsaved {
  #guard: Guard | undefined;
  #leave: Leave | undefined;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Where somebody wants to go, while they are asked. */
  get leave(): Leave | undefined {
    return this.#leave;
  }

  hold(guard: Guard): () => void {
    this.#guard = guard;
    return () => {
      if (this.#guard === guard) this.#guard = undefined;
    };
  }

  /** What was held is saved now. */
  release(): void {
    this.#guard = undefined;
  }

  holds(path: string): boolean {
    return this.#guard !== undefined && !this.#guard.isInside(path);
  }

  get isHeld(): boolean {
    return this.#guard !== undefined;
  }

  ask(leave: Leave): void {
    this.#leave = leave;
    this.#tell();
  }

  answer(isLeaving: boolean): void {
    const leave = this.#leave;
    this.#leave = undefined;
    if (isLeaving) this.#guard = undefined;
    this.#tell();
    if (isLeaving) leave?.();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

export const unsaved = new Unsaved();

type Navigate = (to: string, options?: { replace?: boolean; state?: unknown }) => void;

/** Wouter's navigation, asking first. */
export function guardedNavigation(navigate: Navigate, to: string, options?: Parameters<Navigate>[1]): void {
  const go = (): void => navigate(to, options);
  if (unsaved.holds(pageOf(to))) unsaved.ask(go);
  else go();
}

/** An address without the base that all of them have. */
function pageOf(address: string): string {
  const path = address.split("?", 1)[0] ?? "";
  return path.startsWith("/console/") ? path.slice("/console".length) : path;
}

// The browser's own back and forward: registered before the router's listener, which is not to hear of a move that is
// taken back.
let here = location.href;
window.addEventListener("popstate", (event) => {
  const there = location.href;
  if (!unsaved.holds(pageOf(location.pathname))) {
    here = there;
    return;
  }
  event.stopImmediatePropagation();
  history.pushState(null, "", here);
  unsaved.ask(() => {
    history.pushState(null, "", there);
    here = there;
    window.dispatchEvent(new PopStateEvent("popstate"));
  });
});
for (const name of ["pushState", "replaceState"]) window.addEventListener(name, () => (here = location.href));
window.addEventListener("beforeunload", (event) => {
  if (unsaved.isHeld) event.preventDefault();
});

/** While `isDirty`, leaving the paths that `isInside` knows is asked about. */
export function useUnsavedGuard(isDirty: boolean, isInside: (path: string) => boolean): void {
  useEffect(() => (isDirty ? unsaved.hold({ isInside }) : undefined), [isDirty, isInside]);
}

export function useLeaving(): Leave | undefined {
  return useSyncExternalStore(unsaved.subscribe, () => unsaved.leave);
}
