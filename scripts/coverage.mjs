/**
 * Coverage of the tests, browser suites left out. It is measured on compiled output with source maps: c8
 * over a loader that compiles on the fly miscounts branches.
 */
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

rmSync(".build", { recursive: true, force: true });
run("tsc", ["-p", "tsconfig.coverage.json"]);
// Data that tests read beside themselves.
cpSync("test", ".build/test", { recursive: true, filter: (path) => !path.endsWith(".ts") });
run("c8", [
  ...["--reporter=text-summary", "--reporter=lcov", "--include=src/**", "--include=client/**"],
  ...["node_modules/.bin/mocha", "--no-config", "--reporter=dot", "--timeout=20000"],
  ...["--require=.build/test/helpers/hooks.js", ".build/test/**/*.test.js"],
  ...["--ignore=.build/test/page/**", "--ignore=.build/test/client/sdk.test.js"],
]);

function run(command, args) {
  const { status, error } = spawnSync(`node_modules/.bin/${command}`, args, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
