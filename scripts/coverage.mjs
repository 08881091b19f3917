/**
 * Coverage of the tests, browser suites left out. It is measured on compiled output with source maps: c8
 * over a loader that compiles on the fly miscounts branches.
 */
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

run(process.execPath, ["scripts/build.mjs", "--if-missing"]);
rmSync(".build", { recursive: true, force: true });
run("node_modules/.bin/tsc", ["-p", "tsconfig.coverage.json"]);
// What the compiled server serves, and the data that tests read beside themselves.
for (const folder of ["sdk", "page"]) cpSync(`dist/${folder}`, `.build/${folder}`, { recursive: true });
cpSync("test", ".build/test", { recursive: true, filter: (path) => !path.endsWith(".ts") });
run("node_modules/.bin/c8", [
  ...["--reporter=text-summary", "--reporter=lcov"],
  ...["--exclude-after-remap", "--include=src/**", "--include=client/**"],
  ...["node_modules/.bin/mocha", "--no-config", "--reporter=dot", "--timeout=20000"],
  ...["--require=.build/test/helpers/hooks.js", ".build/test/**/*.test.js"],
  ...["--ignore=.build/test/page/**", "--ignore=.build/test/client/sdk.test.js"],
]);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
