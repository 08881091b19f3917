/**
 * Runs the tests on another Node: `npm run test:node -- 24 [mocha's arguments]`. That Node comes from npm's `node` package, into
 * .build/node-24; what the tests start as "node" is that one, too.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const [version = "", ...rest] = process.argv.slice(2);
if (!/^[0-9]+(\.[0-9]+){0,2}$/.test(version)) {
  process.stderr.write("usage: npm run test:node -- VERSION [mocha's arguments]; 24, or 24.11.0\n");
  process.exit(2);
}
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, ".build", `node-${version}`);
const bin = join(folder, "node_modules", "node", "bin");
const node = join(bin, "node");
if (!existsSync(node)) {
  mkdirSync(folder, { recursive: true });
  // Its install script puts the program of this platform in place.
  const install = ["install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", `node@${version}`];
  const { status } = spawnSync("npm", install, { stdio: "inherit" });
  if (status !== 0 || !existsSync(node)) {
    process.stderr.write(`there is no Node ${version} to be had from npm\n`);
    process.exit(1);
  }
}
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
const run = (args) => spawnSync(node, args, { cwd: root, env, stdio: "inherit" }).status ?? 1;
process.stdout.write(`Node ${spawnSync(node, ["--version"], { encoding: "utf8" }).stdout}`);
process.exitCode = run(["scripts/test-setup.mjs"]) || run(["node_modules/mocha/bin/mocha.js", ...rest]);
