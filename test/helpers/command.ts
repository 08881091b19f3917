import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
const IS_COMPILED = import.meta.filename.endsWith(".js");
/** A process starts three times as fast from the build, which is what users run; from the sources when they are newer. */
const BUILT_CLI = join(ROOT, "dist", "src", "cli.js");
const RUNS_BUILD = !IS_COMPILED && isBuildCurrent();
const CLI = RUNS_BUILD ? BUILT_CLI : join(ROOT, "src", IS_COMPILED ? "cli.js" : "cli.ts");
const LOADER = IS_COMPILED || RUNS_BUILD ? [] : ["--import", import.meta.resolve("tsx")];

function isBuildCurrent(): boolean {
  const stamp = join(ROOT, "dist", ".built");
  if (!existsSync(BUILT_CLI) || !existsSync(stamp)) return false;
  const builtMs = Date.parse(readFileSync(stamp, "utf8").trim());
  return readdirSync(join(ROOT, "src"), { recursive: true, withFileTypes: true }).every(
    (entry) => !entry.isFile() || statSync(join(entry.parentPath, entry.name)).mtimeMs <= builtMs,
  );
}

export type Finished = { code: number | null; stdout: string; stderr: string };

/** A run of the command line as a child process. */
export class Command {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly #wakes = new Set<() => void>();
  readonly #exited: Promise<unknown>;

  constructor(
    args: readonly string[],
    options: {
      cwd: string;
      env?: NodeJS.ProcessEnv;
      terminal?: boolean;
      /** A descriptor that takes standard output, in place of `stdout`. */
      output?: number;
    },
  ) {
    const command = [process.execPath, ...LOADER, CLI, ...args];
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env };
    // `script` gives the child a terminal of its own.
    this.child =
      options.terminal === true
        ? spawn("script", ["-qefc", `exec ${command.map((word) => `'${word}'`).join(" ")}`, "/dev/null"], {
            cwd: options.cwd,
            env,
          })
        : spawn(command[0] ?? "", command.slice(1), {
            cwd: options.cwd,
            env,
            stdio: ["pipe", options.output ?? "pipe", "pipe"],
          });
    this.#exited = once(this.child, "close");
    this.child.stdout?.setEncoding("utf8").on("data", (chunk) => {
      this.stdout += String(chunk);
      for (const wake of this.#wakes) wake();
    });
    this.child.stderr?.setEncoding("utf8").on("data", (chunk) => {
      this.stderr += String(chunk);
    });
  }

  /** Wait until standard output matches. Fails when the command ends before. */
  async output(pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = this.stdout.match(pattern);
        if (match === null) return;
        this.#wakes.delete(look);
        resolve(match);
      };
      this.#wakes.add(look);
      this.#exited.then(
        () => reject(new Error(`ended without ${pattern}:\n${this.stdout}\n${this.stderr}`)),
        reject,
      );
      look();
    });
  }

  async finished(): Promise<Finished> {
    await this.#exited;
    return { code: this.child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  async kill(signal: NodeJS.Signals): Promise<Finished> {
    this.child.kill(signal);
    return this.finished();
  }
}

/** A command that should have ended by itself and has not is ended, so that it does not outlive the run. */
const MAX_RUN_MS = 18_000;

/** Run a command to its end. */
export async function runCommand(
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Finished> {
  const command = new Command(args, options);
  const overdue = setTimeout(() => command.child.kill("SIGKILL"), MAX_RUN_MS);
  const finished = await command.finished();
  clearTimeout(overdue);
  return finished;
}
