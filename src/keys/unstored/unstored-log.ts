import type { Logger } from "../../observe/log.ts";
import type { UnstoredListener } from "./unstored-changes.ts";

/** Says what becomes of changes that are in force although the store did not take them. */
export function unstoredLog(log: Logger): UnstoredListener {
  return (keyId, change, outcome) => {
    const entry = { keyId, ...change };
    switch (outcome) {
      case "enforced":
        log.error(entry, "a key's change is in force, but could not be stored");
        return;
      case "stored":
        log.info(entry, "a key's change that was in force is stored now");
        return;
      case "overtaken":
        log.warn(
          entry,
          "a key was written by somebody else before a change that was in force could be stored",
        );
        return;
      case "lost":
        log.error(entry, "a key's change that was in force could not be stored and is lost");
    }
  };
}
