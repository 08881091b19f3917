import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("./results/", import.meta.url));

/** Where the figures come from, in words. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return `Node ${process.version}, ${cpus().length} × ${model}, load ${loadavg()[0]?.toFixed(1)} at the start`;
}

/** With `--write`: keep a bench's figures in bench/results, from which `npm run bench:report` writes docs/benchmarks.md. */
export function saveResult(name: string, result: object): void {
  if (!process.argv.includes("--write")) return;
  mkdirSync(FOLDER, { recursive: true });
  const dated = { date: new Date().toISOString().slice(0, 10), ...result };
  writeFileSync(`${FOLDER}${name}.json`, `${JSON.stringify(dated, undefined, 1)}\n`);
}
