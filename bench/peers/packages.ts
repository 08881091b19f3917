import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/** Peers are got once, beside the system's own packages, and are no dependency of anything. */
export const PEER_FOLDER = join(tmpdir(), "sluice-bench-peers");
const UWS = "@trufflesuite/uws-js-unofficial@20.30.0-unofficial.0";

/** The module of uWebSockets.js, as the one build that npm has. @throws when it cannot be had */
export function uwsModule(): string {
  const folder = join(PEER_FOLDER, "npm");
  const entry = join(folder, "node_modules", "@trufflesuite", "uws-js-unofficial", "src", "uws.js");
  if (!existsSync(entry)) {
    mkdirSync(folder, { recursive: true });
    execFileSync("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", UWS], { stdio: "pipe" });
  }
  return entry;
}

/** Unpack Debian packages and say where a file of theirs is. @throws when they cannot be had */
export function debianFile(packages: readonly string[], path: string): string {
  const folder = join(PEER_FOLDER, "debian");
  const file = join(folder, path);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  for (const name of packages) {
    const own = join(folder, "packages", name);
    mkdirSync(own, { recursive: true });
    execFileSync("apt-get", ["download", name], { cwd: own, stdio: "pipe" });
    execFileSync("sh", ["-c", `dpkg-deb -x ./*.deb ${folder}`], { cwd: own, stdio: "pipe" });
  }
  if (!existsSync(file)) throw new Error(`${packages.join(", ")} have no ${path}`);
  return file;
}

/** Compile a program of this folder as a build does: what runs sources directly makes closures larger and slower. */
export function compiled(name: string): string {
  const outfile = fileURLToPath(new URL(`../../.build/bench/${name}.mjs`, import.meta.url));
  buildSync({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
  });
  return outfile;
}
