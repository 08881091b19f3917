import type { KeyStore } from "../keys/index.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import { checkEndpointEntries, compileStored, type DeclaredEndpoint } from "../policy/index.ts";

const MAX_NAMED = 20;

/**
 * Look through the stored keys for endpoint entries that a changed configuration left behind: one that was excluded, say,
 * and is now only part of a wildcard that the key may call. Writing refuses such an entry; what was written before can
 * only be said. Runs beside the server, a key at a time.
 */
export async function warnOfStaleEntries(
  keys: KeyStore,
  endpoints: readonly DeclaredEndpoint[],
  log: Logger,
  isClosing: () => boolean,
): Promise<void> {
  if (endpoints.length === 0) return;
  let named = 0;
  try {
    for await (const scanned of keys.scan()) {
      if (isClosing()) return;
      if (scanned.state !== "read") continue;
      const { record } = scanned;
      const { faults } = checkEndpointEntries(compileStored(record.settings).settings, endpoints);
      if (faults.length === 0) continue;
      named += 1;
      if (named <= MAX_NAMED) {
        log.warn(
          { keyId: record.id, faults },
          "a key's endpoint list does not fit the declared endpoints any more",
        );
      }
    }
  } catch (error) {
    if (!isClosing())
      log.error({ fault: faultOf(error) }, "the stored keys could not be compared with the endpoints");
    return;
  }
  if (named > MAX_NAMED) log.warn({ keys: named }, "this many keys have such endpoint lists");
}
