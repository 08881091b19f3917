import { setImmediate as nextTurn } from "node:timers/promises";
import type { KeyStore } from "../keys/index.ts";
import { faultOf, type Logger } from "../observe/log.ts";
import { checkEndpointEntries, compileStored, type DeclaredEndpoint } from "../policy/index.ts";

const PAGE = 500;
const MAX_NAMED = 20;

/**
 * Look through the stored keys for endpoint entries that a changed configuration left behind: one that was excluded, say,
 * and is now only part of a wildcard that the key may call. Writing refuses such an entry; what was written before can
 * only be said. Runs beside the server, a page at a time.
 */
export async function warnOfStaleEntries(
  keys: KeyStore,
  endpoints: readonly DeclaredEndpoint[],
  log: Logger,
  isClosing: () => boolean,
): Promise<void> {
  if (endpoints.length === 0) return;
  let named = 0;
  let after: string | undefined;
  try {
    do {
      const { items, next } = await keys.list({ limit: PAGE, after });
      for (const record of items) {
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
      after = next ?? undefined;
      await nextTurn();
    } while (after !== undefined && !isClosing());
  } catch (error) {
    if (!isClosing())
      log.error({ fault: faultOf(error) }, "the stored keys could not be compared with the endpoints");
    return;
  }
  if (named > MAX_NAMED) log.warn({ keys: named }, "this many keys have such endpoint lists");
}
