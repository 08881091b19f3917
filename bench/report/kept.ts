import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Static, type TSchema, Type } from "typebox";
import { Compile } from "typebox/compile";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = join(ROOT, "bench", "results");
/** What figures depend on. */
const MEASURED = ["src", "bench", ":!bench/results", "package-lock.json"];

/** When, where and of what figures were taken. */
export const Provenance = Type.Object({
  date: Type.String(),
  commit: Type.String(),
  node: Type.String(),
  cores: Type.Number(),
  processor: Type.String(),
  /** The load average before. */
  load: Type.Optional(Type.Number()),
});
export type Provenance = Static<typeof Provenance>;

/** Of here and now. Sources that differ from their commit are marked with a plus. */
export function provenance(): Provenance {
  const git = (...args: string[]): string => {
    try {
      return execFileSync("git", args, {
        cwd: ROOT,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    } catch {
      return "";
    }
  };
  const isChanged = git("status", "--porcelain", "--", ...MEASURED) !== "";
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: `${git("rev-parse", "--short", "HEAD") || "unknown"}${isChanged ? "+" : ""}`,
    node: process.version.slice(1),
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

/** Of a run of its own: the machine, and which sources. */
export function describe({ date, commit, node, cores, processor, load }: Provenance): string {
  const before = load === undefined ? "" : `, load ${load.toFixed(1)} before`;
  return `${date}, commit ${commit}, Node ${node}, ${cores} × ${processor}${before}`;
}

/** The figures that a bench has kept; undefined when it has kept none. @throws when they cannot be read */
export function readKept<Schema extends TSchema>(name: string, schema: Schema): Static<Schema> | undefined {
  const file = fileOf(name);
  return existsSync(file) ? Compile(schema).Parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

export function writeKept(name: string, figures: unknown): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(name), `${JSON.stringify(figures, rounded, 2)}\n`);
}

/** More digits than these are noise. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(5)) : value;
}

function fileOf(name: string): string {
  return join(FOLDER, `${name}.json`);
}
