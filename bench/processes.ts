import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** Servers are measured on the first core; whoever loads them has the second. */
export type Core = 0 | 1;

/** What was started and has not ended; this process takes it along when it ends. */
const running = new Set<ChildProcess>();
let isOwner = false;
let canPin: boolean | undefined;

/** Start a program on one core, where that can be had. It never outlives this process. */
export function spawnOn(
  core: Core,
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const child = pinning()
    ? spawn("taskset", ["-c", String(core), program, ...args], options)
    : spawn(program, args, options);
  takeAlong();
  running.add(child);
  child.once("exit", () => running.delete(child));
  // What could not be started is told where its output is awaited.
  child.once("error", () => running.delete(child));
  return child;
}

/** Keep a process that runs, with all its threads, on one core, where that can be had. */
export function pin(pid: number | undefined, core: Core): void {
  if (pid === undefined) throw new Error("a process did not start");
  if (pinning()) execFileSync("taskset", ["-acp", String(core), String(pid)], { stdio: "pipe" });
}

/** End a process at once. Resolves when it has gone. */
export async function endNow(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** What a promise brings. @throws when that takes longer */
export async function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs / 1_000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

function takeAlong(): void {
  if (isOwner) return;
  isOwner = true;
  process.once("exit", () => {
    for (const child of running) child.kill("SIGKILL");
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => process.exit(signal === "SIGINT" ? 130 : 143));
}

/** There is no taskset everywhere, and not everywhere are there two cores. */
function pinning(): boolean {
  canPin ??= [0, 1].every((core) => spawnSync("taskset", ["-c", String(core), "true"]).status === 0);
  return canPin;
}
