/**
 * Builds dist/: the server and the client (tsc), the browser SDK and the development page (esbuild), the console (Vite).
 * `--if-missing` builds only when dist/ is missing or older than the sources.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { build as buildConsole } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = "dist/.built";
const sources = [
  "src",
  "client",
  "page",
  "console",
  "scripts/build.mjs",
  "tsconfig.json",
  "tsconfig.build.json",
];

process.chdir(root);
if (process.argv.includes("--if-missing") && isCurrent()) process.exit(0);

const startedAtMs = Date.now();
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

console.log(`Building Sluice ${version}`);
rmSync("dist", { recursive: true, force: true });
compile();
await bundleSdk();
await bundlePage();
await bundleConsole();
writeFileSync(stamp, `${new Date(startedAtMs).toISOString()}\n`);
console.log(`  done in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`);

/** The stamp holds when the build began, so that a source saved while it ran counts as newer. */
function isCurrent() {
  if (!existsSync(stamp)) return false;
  const builtAtMs = Date.parse(readFileSync(stamp, "utf8").trim());
  return [...sources, "package.json"].every((path) => newestMs(path) <= builtAtMs);
}

/** Folders count too: their time changes when a file in them is deleted. */
function newestMs(path) {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (!entry) return Number.POSITIVE_INFINITY;
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function compile() {
  const tsc = fileURLToPath(new URL("../node_modules/.bin/tsc", import.meta.url));
  const { status, error } = spawnSync(tsc, ["-p", "tsconfig.build.json"], { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
  if (existsSync("dist/src/cli.js")) chmodSync("dist/src/cli.js", 0o755);
  console.log("  dist/src, dist/client   server, command line and client for Node");
}

async function bundleSdk() {
  const shared = {
    entryPoints: ["client/index.ts"],
    bundle: true,
    platform: "browser",
    target: "es2022",
    minify: true,
    sourcemap: true,
    legalComments: "none",
    banner: { js: `/* Sluice SDK ${version}, MIT; contains socket.io-client, MIT */` },
    logLevel: "warning",
  };
  for (const name of ["sluice", `sluice-${version}`]) {
    await build({ ...shared, format: "esm", outfile: `dist/sdk/${name}.js` });
    await build({ ...shared, format: "iife", globalName: "sluice", outfile: `dist/sdk/${name}.global.js` });
  }
  compress("dist/sdk");
  const kilobytes = Math.round(statSync("dist/sdk/sluice.js").size / 1024);
  console.log(`  dist/sdk                browser SDK, ${kilobytes} kB: sluice.js, sluice.global.js`);
}

async function bundlePage() {
  mkdirSync("dist/page", { recursive: true });
  copyFileSync("page/index.html", "dist/page/index.html");
  await build({
    entryPoints: ["page/page.ts", "page/page.css"],
    outdir: "dist/page",
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    sourcemap: true,
    legalComments: "none",
    logLevel: "warning",
  });
  console.log("  dist/page               development page");
}

async function bundleConsole() {
  // With a terminal Vite writes a progress line, and takes it back, hundreds of times, whatever its log level.
  process.env.CI ??= "true";
  await buildConsole({ configFile: "console/vite.config.ts", logLevel: "warn", mode: "production" });
  compress("dist/console/assets");
  console.log("  dist/console            console");
}

/** Beside each file its compressed forms: made once, here, so that the server does not do it for every request. */
function compress(folder) {
  for (const name of readdirSync(folder)) {
    const content = readFileSync(join(folder, name));
    writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content, { params }));
  }
}
