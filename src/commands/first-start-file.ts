import { randomBytes } from "node:crypto";
import { mkdtemp, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "./command-error.ts";

const NAME = "first-start.txt";

/**
 * The file with the secrets that a first start made, for its owner alone, in the folder of the store. It gets its name only when its
 * secrets are known to be in force: where two processes start on one store, the one whose secrets do not count must not write over the other's.
 */
export class FirstStartFile {
  readonly #folder: string;
  readonly #draft: string;

  private constructor(folder: string, draft: string) {
    this.#folder = folder;
    this.#draft = draft;
  }

  /** Writes the secrets, under another name for now. They are on disk then. @throws CommandError */
  static async write(store: string, secrets: readonly string[]): Promise<FirstStartFile> {
    try {
      const folder = store.startsWith("lmdb:")
        ? store.slice("lmdb:".length)
        : await mkdtemp(join(tmpdir(), "sluice-"));
      const found = await stat(join(folder, NAME)).catch(() => undefined);
      if (found?.isFile() === false) throw new Error(`${join(folder, NAME)} is no file`);
      const file = new FirstStartFile(
        folder,
        join(folder, `first-start.${randomBytes(6).toString("hex")}.txt`),
      );
      await writeFile(file.#draft, textOf(secrets), { mode: 0o600, flag: "wx", flush: true });
      await syncFolder(folder);
      return file;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandError(
        `the secrets that the first start made cannot be written to a file (${reason}): the next start makes others`,
      );
    }
  }

  /**
   * Gives the file its name. `inForce`: those of its secrets that are, when not all of them are.
   * @returns its path, which stays the first one where it cannot be renamed; undefined when none of its secrets is in force
   */
  async publish(inForce?: readonly string[]): Promise<string | undefined> {
    if (inForce?.length === 0) {
      await rm(this.#draft, { force: true });
      return undefined;
    }
    try {
      if (inForce !== undefined) await writeFile(this.#draft, textOf(inForce), { flush: true });
      const file = join(this.#folder, NAME);
      await rename(this.#draft, file);
      await syncFolder(this.#folder);
      return file;
    } catch {
      return this.#draft;
    }
  }
}

function textOf(secrets: readonly string[]): string {
  return `${secrets.join("\n")}\n`;
}

/** The name of a file is in its folder, which the system writes when it likes. Some systems open no folder: those sync it by themselves. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "EINVAL" || error.code === "EPERM")))
      throw error;
  } finally {
    await handle.close();
  }
}
