/**
 * A case that needs something of the machine which may not be there (`missing` says what): without it, the case is skipped
 * by name, and fails when CI is set.
 */
export function itIfThere(title: string, missing: string | undefined, fn: () => Promise<void> | void): void {
  if (missing === undefined) it(title, fn);
  else if (process.env["CI"])
    it(title, () => {
      throw new Error(`${missing} is missing: scripts/test-setup.mjs says why`);
    });
  else it.skip(`${title} (needs ${missing})`, () => {});
}
