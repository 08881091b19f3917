import { chmodSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { open } from "lmdb";
import { makeFolder } from "../lib/folder.ts";
import { StoreUnavailableError, StoreUrlError } from "./errors.ts";
import { checkDataFile } from "./lmdb-header.ts";
import { syncFolder } from "./lmdb-storage.ts";

/**
 * Copies a store as it is at one moment, while servers use it: LMDB reads the whole copy in one snapshot. The new folder is
 * there with a copy that was checked, or not at all; only its owner can read it, and a server can be started on it.
 * @throws StoreUrlError for a store that is no folder; StoreUnavailableError; Error when there is something in the way
 */
export async function backUpStore(url: string, folder: string): Promise<void> {
  if (!url.startsWith("lmdb:") || url === "lmdb:")
    throw new StoreUrlError("a backup is made of a store lmdb:<folder>, for instance lmdb:./data");
  const source = resolve(url.slice("lmdb:".length));
  const target = resolve(folder);
  if (!existsSync(join(source, "data.mdb")))
    throw new StoreUnavailableError(`there is no store in ${source}`);
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new Error(`${target} is not empty: name a folder that is new`);
  makeFolder(dirname(target));
  const partial = mkdtempSync(`${target}.partial-`);
  try {
    await copyStore(source, partial);
    chmodSync(join(partial, "data.mdb"), 0o600);
    checkDataFile(join(partial, "data.mdb"));
    syncFolder(partial);
    renameSync(partial, target);
    syncFolder(dirname(target));
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

async function copyStore(source: string, target: string): Promise<void> {
  try {
    checkDataFile(join(source, "data.mdb"));
    const database = open(source, { readOnly: true, noSubdir: false });
    try {
      // Compacted: what was deleted or replaced is not in the copy.
      await database.backup(target, true);
    } finally {
      await database.close();
    }
  } catch (error) {
    throw new StoreUnavailableError(`the store in ${source} cannot be copied`, { cause: error });
  }
}
