import { randomBytes } from "node:crypto";
import { readFile, readlink, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** As many links as the system follows. */
const MAX_LINKS = 40;

/**
 * Writes a file that only its owner can read, in place of the file that was there, or not at all. A link is followed and stays; a
 * named pipe or a device (`/dev/stdout`, `>(gpg …)`) is written to.
 */
export async function writePrivate(file: string, text: string): Promise<void> {
  const target = await followLinks(resolve(file));
  const found = await stat(target).catch(absent);
  if (found !== undefined && !found.isFile()) return writeFile(target, text);
  const next = `${target}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeFile(next, text, { mode: 0o600, flag: "wx", flush: true });
    await rename(next, target);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}

/** Where a path leads, also when nothing is there yet. */
async function followLinks(path: string): Promise<string> {
  let target = path;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const found = await stat(target).catch(absent);
    // Links of /proc lead to what has no path of its own: a pipe, say.
    if (found !== undefined && !found.isFile()) return target;
    const next = await readlink(target).catch(() => undefined);
    if (next === undefined) return target;
    target = resolve(dirname(target), next);
  }
  throw new Error("too many links");
}

/** A text file as people save it: in UTF-8 or, with its byte order mark, in UTF-16; the mark is no part of the text. */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file);
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? "utf-16le"
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? "utf-16be"
        : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

function absent(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
