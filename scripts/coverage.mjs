/**
 * Coverage of the tests, browser suites left out. It is measured on compiled output with source maps: c8
 * over a loader that compiles on the fly miscounts branches.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

rmSync(".build", { recursive: true, force: true });
run("tsc", ["-p", "tsconfig.coverage.json"]);
run("c8", [
  ...["--reporter=text-summary", "--reporter=lcov", "--include=src/**", "--include=client/**"],
  ...["mocha", "--no-config", "--reporter=dot", "--timeout=20000"],
  ...["--require=.build/test/helpers/hooks.js", "--ignore=.build/test/page/**", ".build/test/**/*.test.js"],
]);

function run(command, args) {
  const { status, error } = spawnSync(`node_modules/.bin/${command}`, args, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
