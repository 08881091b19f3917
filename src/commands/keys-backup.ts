import { AdminClient, CONNECTION_OPTIONS, memberOf } from "./admin-client.ts";
import { CommandError, readArguments } from "./command-error.ts";

import { printJson, printWarnings } from "./output.ts";
import { readText, writePrivate } from "./private-file.ts";

/** Write a backup to a file that only its owner can read, or to standard output. */
export async function exportKeys(args: readonly string[]): Promise<number> {
  const { values } = readArguments({
    args: [...args],
    options: { ...CONNECTION_OPTIONS, file: { type: "string" } },
  });
  const client = await AdminClient.open(values, process.env);
  const backup = await client.call("/keys/export", { method: "POST", longWork: "Exporting" });
  if (values.file === undefined) return printJson(backup);
  try {
    await writePrivate(values.file, `${JSON.stringify(backup)}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${values.file} cannot be written: ${reason}`);
  }
  process.stdout.write(
    `${countOf(memberOf(backup, "keys"))} keys are in ${values.file}: digests, not secrets.\n`,
  );
  const unreadable = countOf(memberOf(backup, "unreadable"));
  if (unreadable > 0) process.stderr.write(`${unreadable} keys could not be read and are not in it.\n`);
  return 0;
}

/** Restore a backup, or take the keys of an Agnost version document: all of it or nothing. */
export async function importKeys(args: readonly string[]): Promise<number> {
  const { values } = readArguments({
    args: [...args],
    options: {
      ...CONNECTION_OPTIONS,
      file: { type: "string" },
      replace: { type: "boolean" },
      skip: { type: "boolean" },
      agnost: { type: "boolean" },
      "allow-weak": { type: "boolean" },
    },
  });
  if (values.file === undefined) throw new CommandError("sluice keys import takes --file", 2);
  if (values.replace === true && values.skip === true) throw new CommandError("give --replace or --skip", 2);
  if (values.agnost === true && (values.replace === true || values.skip === true)) {
    throw new CommandError("--replace and --skip are for backups, not for --agnost", 2);
  }
  if (values["allow-weak"] === true && values.agnost !== true) {
    throw new CommandError("--allow-weak is for --agnost: a backup has digests, not secrets", 2);
  }
  const document = await readJson(values.file);
  const client = await AdminClient.open(values, process.env);
  const onExisting = values.replace === true ? "replace" : values.skip === true ? "skip" : "refuse";
  const answer =
    values.agnost === true
      ? await client.call(`/keys/import/agnost${values["allow-weak"] === true ? "?allowWeak=true" : ""}`, {
          method: "POST",
          body: document,
          longWork: "Importing",
        })
      : await client.call("/keys/import", {
          method: "POST",
          body: { keys: memberOf(document, "keys"), onExisting },
          longWork: "Importing",
        });
  if (values.json === true) return printJson(answer);
  const counts = ["created", "replaced", "skipped"].map(
    (name) => `${countOf(memberOf(answer, name))} ${name}`,
  );
  process.stdout.write(`Imported: ${counts.join(", ")}.\n`);
  printWarnings(answer);
  const more = memberOf(answer, "moreWarnings");
  if (typeof more === "number" && more > 0)
    process.stdout.write(`${more} more notes: --json has the first.\n`);
  return 0;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readText(file));
  } catch (error) {
    throw new CommandError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function countOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}
