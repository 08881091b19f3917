import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finished } from "../helpers/command.ts";
import { ROOT } from "./documents.ts";

const CLI = join(ROOT, "src", "cli.ts");
const TSX = import.meta.resolve("tsx");
/** A program that hangs ends with this, not with the run. */
const TIMEOUT_MS = 40_000;

/** In a document's commands `npx sluice` is the command line of this repository, run from its sources. */
const NPX = `
npx() {
  [ "$1" = sluice ] || { echo "the documents name npx $1" >&2; return 97; }
  shift
  '${process.execPath}' --import '${TSX}' '${CLI}' "$@"
}
set -eu
`;

type Run = { env?: NodeJS.ProcessEnv; cwd?: string };

/** Run a document's commands in bash; the first that fails ends them. */
export function runShell(text: string, env: NodeJS.ProcessEnv): Promise<Finished> {
  return run("bash", ["-c", `${NPX}${text}`], { env, cwd: ROOT });
}

/** Run a module in Node as if it were a file of this repository: it may import "sluice". Stopped once it printed `until`. */
export function runModule(text: string, env: NodeJS.ProcessEnv, until?: RegExp): Promise<Finished> {
  return run(process.execPath, ["--input-type=module", "--eval", text], { env, cwd: ROOT }, until);
}

/** Run a program to its end. */
export async function run(
  file: string,
  args: readonly string[],
  { env = {}, cwd = ROOT }: Run,
  until?: RegExp,
): Promise<Finished> {
  const base = { PATH: process.env["PATH"], HOME: process.env["HOME"] };
  const options: SpawnOptions = { cwd, env: { ...base, ...env }, timeout: TIMEOUT_MS };
  const child = spawn(file, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const finished: Finished = { code: null, stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk) => {
    finished.stdout += String(chunk);
    if (until?.test(finished.stdout)) child.kill();
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk) => {
    finished.stderr += String(chunk);
  });
  await once(child, "close");
  finished.code = child.exitCode;
  return finished;
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

/** A folder of an application that has Sluice among its packages, with a config file. */
export function applicationFolder(config: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "sluice-docs-"));
  mkdirSync(join(path, "node_modules"));
  symlinkSync(ROOT, join(path, "node_modules", "sluice"));
  writeFileSync(join(path, "sluice.config.ts"), config);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
