/**
 * After `npm install`: a registry mirror that lacks some platforms' optional packages leaves them out of the lock
 * file, and `npm ci` then refuses the whole file. This adds them by name, so that they are skipped on every other
 * platform, and fetched where they are meant for.
 */
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
const systems = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];

for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    const os = systems.find((one) => name.includes(`-${one}`));
    const cpu = processors.find((one) => name.includes(`-${one}`));
    if (path in lock.packages || os === undefined || cpu === undefined) continue;
    const libc = os === "linux" ? { libc: [name.endsWith("musl") ? "musl" : "glibc"] } : {};
    const dev = entry.dev ? { dev: true } : {};
    lock.packages[path] = { version, os: [os], cpu: [cpu], ...libc, ...dev, optional: true };
    console.log(`added ${name}@${version}`);
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
