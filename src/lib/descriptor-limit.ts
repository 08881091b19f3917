import { readFileSync } from "node:fs";

/**
 * How many descriptors (files, connections, pipes) this process may have open at once. Node raises its soft limit to the hard one
 * as it starts, so the shell's figure can be lower. Opens a file: to be asked once, at the start.
 *
 * @returns undefined where the system tells none (Windows, or no limit)
 */
export function descriptorLimit(): number | undefined {
  return fromProc() ?? fromReport();
}

/** Linux: one line of a small file. */
function fromProc(): number | undefined {
  try {
    const line = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "latin1"));
    return parseLimit(line?.[1]);
  } catch {
    return undefined;
  }
}

/** Other systems: Node's diagnostic report, which costs milliseconds. */
function fromReport(): number | undefined {
  const report: unknown = process.report?.getReport();
  const limits = memberOf(report, "userLimits");
  const soft = memberOf(memberOf(limits, "open_files"), "soft");
  return parseLimit(soft);
}

function parseLimit(value: unknown): number | undefined {
  const limit = Number(value);
  return Number.isSafeInteger(limit) && limit > 0 ? limit : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map(Object.entries(value)).get(name);
}
