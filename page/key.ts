/**
 * The key from behind the `#`, which browsers do not send to servers: `#slc_…` or `#key=slc_…`.
 * Undefined when there is none.
 */
export function keyFromHash(hash: string): string | undefined {
  const text = hash.replace(/^#/, "").replace(/^key=/, "").trim();
  try {
    return decodeURIComponent(text) || undefined;
  } catch {
    return text;
  }
}

/** Enough of a key to tell it from another. */
export function keyHint(key: string): string {
  return key.length > 16 ? `${key.slice(0, 4)}…${key.slice(-4)}` : "…";
}
