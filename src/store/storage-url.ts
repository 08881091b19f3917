import { StoreUrlError } from "./errors.ts";
import type { KeyStorage } from "./key-storage.ts";
import { openLmdbStorage } from "./lmdb-storage.ts";
import { MemoryStorage } from "./memory-storage.ts";

const USAGE = "write lmdb:<folder>, for instance lmdb:./data, or memory:";

/**
 * Opens what a store URL names: `lmdb:<folder>` (relative to the working folder) or `memory:`.
 * @throws StoreUrlError for anything else, StoreUnavailableError when it cannot be opened
 */
export async function openKeyStorage(url: string): Promise<KeyStorage> {
  const colon = url.indexOf(":");
  const scheme = colon < 0 ? "" : url.slice(0, colon);
  const rest = url.slice(colon + 1);
  if (scheme === "memory" && rest === "") return new MemoryStorage();
  if (scheme === "lmdb" && rest !== "" && !rest.startsWith("//") && !rest.includes("\0")) {
    return openLmdbStorage(rest);
  }
  if (scheme === "lmdb" || scheme === "memory")
    throw new StoreUrlError(`this ${scheme}: URL is not complete: ${USAGE}`);
  const named = /^[a-z][a-z0-9+.-]*$/i.test(scheme) ? `a ${scheme}: store` : "a store without a scheme";
  throw new StoreUrlError(`cannot open ${named}: ${USAGE}`);
}
