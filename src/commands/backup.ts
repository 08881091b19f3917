import { backUpStore } from "../keys/index.ts";
import { CommandError, readArguments } from "./command-error.ts";
import { printableLine } from "./printable.ts";

const USAGE = `sluice backup FOLDER [--store URL]: a copy of a store, consistent also while a server uses it

  FOLDER         a new folder: the copy is a whole store, with which a server starts (--store lmdb:FOLDER)
  --store URL    lmdb:<folder> (SLUICE_STORE, lmdb:./data); the command needs to read and write in that folder
`;

/** @returns the exit code. */
export async function backupCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    options: { store: { type: "string" }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [folder, ...others] = positionals;
  if (folder === undefined || folder === "" || others.length > 0) throw new CommandError(USAGE, 2);
  const store = values.store ?? (process.env["SLUICE_STORE"] || "lmdb:./data");
  try {
    await backUpStore(store, folder);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
    throw new CommandError(`${error.message}${cause}`);
  }
  process.stdout.write(
    `${printableLine(`The store ${store} is copied to ${folder}, for you alone to read.`)}\n`,
  );
  return 0;
}
