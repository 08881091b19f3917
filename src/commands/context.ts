import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { makeFolder } from "../lib/folder.ts";
import { CommandError } from "./command-error.ts";
import { printableLine } from "./printable.ts";
import { readText, writePrivate } from "./private-file.ts";

/** Where a person's own server is: saved once, so that commands need no flags. */
export type Context = { readonly url: string | undefined; readonly token: string | undefined };

type Environment = Readonly<Record<string, string | undefined>>;

const NOTHING: Context = { url: undefined, token: undefined };

/** `$XDG_CONFIG_HOME/sluice/context.json`, else below `~/.config`. */
export function contextFile(environment: Environment): string {
  // An empty variable counts as unset (XDG Base Directory Specification).
  const base = environment["XDG_CONFIG_HOME"] || join(environment["HOME"] || homedir(), ".config");
  return join(base, "sluice", "context.json");
}

/** The saved context; empty when there is none. @throws CommandError when it cannot be read: it is there for a reason. */
export async function readContext(environment: Environment): Promise<Context> {
  const file = contextFile(environment);
  try {
    const saved: unknown = JSON.parse(await readText(file));
    if (typeof saved !== "object" || saved === null) throw new Error("it holds no object");
    const { url, token }: { url?: unknown; token?: unknown } = saved;
    return {
      url: typeof url === "string" ? url : undefined,
      token: typeof token === "string" ? token : undefined,
    };
  } catch (error) {
    if (isAbsent(error)) return NOTHING;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(
      printableLine(
        `the saved context ${file} cannot be read (${reason}): mend it, or forget it with sluice context --forget`,
      ),
      2,
    );
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/** Save it where only its owner can read it. */
export async function writeContext(environment: Environment, context: Context): Promise<string> {
  const file = contextFile(environment);
  makeFolder(dirname(file));
  await writePrivate(file, `${JSON.stringify(context)}\n`);
  return file;
}

export async function forgetContext(environment: Environment): Promise<void> {
  await rm(contextFile(environment), { force: true });
}
