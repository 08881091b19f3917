/** What the page learns from the browser and a connection has to know. */
export type PageEvents = {
  /** The network is back, or somebody looks at the page again: waiting for the next try makes no sense. */
  readonly awake: () => void;
  /** The page was asleep or in the back/forward cache: what seems to be connected may be dead without an event. */
  readonly restored: () => void;
};

/** Listens to the browser; elsewhere there is nothing to hear. @returns stops it */
export function listenToPage({ awake, restored }: PageEvents): () => void {
  const page = globalThis.document;
  if (typeof globalThis.addEventListener !== "function" || typeof page?.addEventListener !== "function")
    return () => {};
  const onVisibility = (): void => {
    if (page.visibilityState === "visible") awake();
  };
  const onPageShow = (event: PageTransitionEvent): void => {
    if (event.persisted) restored();
  };
  globalThis.addEventListener("online", awake);
  globalThis.addEventListener("pageshow", onPageShow);
  page.addEventListener("visibilitychange", onVisibility);
  page.addEventListener("resume", awake);
  return () => {
    globalThis.removeEventListener("online", awake);
    globalThis.removeEventListener("pageshow", onPageShow);
    page.removeEventListener("visibilitychange", onVisibility);
    page.removeEventListener("resume", awake);
  };
}
