import type { StoreMeta } from "../keys/index.ts";

/**
 * A start can fail, be stopped or find its disk full between making a secret and showing it. So what was made is stored
 * with this mark until it was shown, and a start that finds the mark makes the secret anew: nobody knows the old one.
 */
const MARK = "unshown:";

/** A secret that was made and is still to be shown. */
export type Unshown<T> = {
  readonly value: T;
  /** @returns false when another process on the store has made its own meanwhile: this one counts no longer. */
  noteShown(): Promise<boolean>;
};

/** The stored text without the mark. */
export function textOf(stored: string): string {
  return isUnshown(stored) ? stored.slice(MARK.length) : stored;
}

export function isUnshown(stored: string): boolean {
  return stored.startsWith(MARK);
}

/** Stores the text of something new, with the mark. @returns false when one is stored that was shown */
export async function setUnshown(meta: StoreMeta, name: string, text: string): Promise<boolean> {
  for (;;) {
    const { stored, value } = await meta.setIfAbsent(name, MARK + text);
    if (stored) return true;
    if (!isUnshown(value)) return false;
    if (await meta.replace(name, value, MARK + text)) return true;
  }
}

/** Takes the mark off. @returns false when it is on something else by now */
export function noteShown(meta: StoreMeta, name: string, text: string): Promise<boolean> {
  return meta.replace(name, MARK + text, text);
}
