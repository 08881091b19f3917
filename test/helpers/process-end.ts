import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Resolves when a process, which need not be ours, has ended. Whoever should may not have taken notice of it yet. */
export async function untilGone(pid: number): Promise<void> {
  while (isRunning(pid)) await delay(20);
}

function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
