/** Beyond this nobody goes back. */
const RECENT_MAX = 20;

/** What had the focus, the newest first. Items of menus and lists are no place to go back to: they close with a choice. */
const recent: HTMLElement[] = [];
document.addEventListener("focusin", ({ target }) => {
  if (!(target instanceof HTMLElement) || target.closest("[role=menu], [role=listbox]") !== null) return;
  const known = recent.indexOf(target);
  if (known !== -1) recent.splice(known, 1);
  recent.unshift(target);
  recent.length = Math.min(recent.length, RECENT_MAX);
});

/** Where whoever is somewhere now came from, the newest first. */
export function recentlyFocused(): readonly HTMLElement[] {
  return [...recent];
}

/** Whether nothing has the focus, so that the next key goes nowhere. */
export function isFocusLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** Gives the focus to the first of `places` that can have it, else to the heading of the page. */
export function returnFocus(places: readonly HTMLElement[]): void {
  const place = places.find(canHaveFocus) ?? document.querySelector<HTMLElement>("main h1");
  place?.focus({ preventScroll: true });
}

export function isDialogOpen(): boolean {
  return document.querySelector("[role=dialog][aria-modal=true]:not([inert])") !== null;
}

function canHaveFocus(element: HTMLElement): boolean {
  return (
    element.isConnected &&
    element.closest("[inert]") === null &&
    !element.matches(":disabled") &&
    element.getClientRects().length > 0
  );
}
