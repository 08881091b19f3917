import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { makeFolder } from "../lib/folder.ts";

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

/** The saved context; empty when there is none or it cannot be read. */
export async function readContext(environment: Environment): Promise<Context> {
  try {
    const saved: unknown = JSON.parse(await readFile(contextFile(environment), "utf8"));
    if (typeof saved !== "object" || saved === null) return NOTHING;
    const { url, token }: { url?: unknown; token?: unknown } = saved;
    return {
      url: typeof url === "string" ? url : undefined,
      token: typeof token === "string" ? token : undefined,
    };
  } catch {
    return NOTHING;
  }
}

/** Save it where only its owner can read it. */
export async function writeContext(environment: Environment, context: Context): Promise<string> {
  const file = contextFile(environment);
  makeFolder(dirname(file));
  await writePrivate(file, `${JSON.stringify(context)}\n`);
  return file;
}

/** Write a file that only its owner can read, in place of whatever was there. */
export async function writePrivate(file: string, text: string): Promise<void> {
  const next = `${file}.${process.pid}.tmp`;
  await writeFile(next, text, { mode: 0o600, flag: "wx" });
  await rename(next, file);
}

export async function forgetContext(environment: Environment): Promise<void> {
  await rm(contextFile(environment), { force: true });
}
