/**
 * What the tests need besides npm packages: Chromium for the browser suites, and a current build. Installs
 * what is missing through Debian's packages where it may, and says so first; where it may not, the suites
 * that need it are skipped by name (or fail, when CI is set).
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const needs = [
  {
    what: "Chromium",
    file: process.env.CHROMIUM_PATH || "/usr/bin/chromium",
    movedBy: process.env.CHROMIUM_PATH ? "CHROMIUM_PATH" : undefined,
    packages: ["chromium", "fonts-dejavu-core"],
    suites: "the browser suites",
  },
];

for (const need of needs.filter((each) => !existsSync(each.file))) {
  const reason = install(need);
  if (reason) {
    const outcome = process.env.CI ? "will fail, because CI is set" : "will be reported as skipped";
    console.log(`${need.what} is missing (${need.file}): ${reason}; ${need.suites} ${outcome}.`);
  }
}

const build = fileURLToPath(new URL("build.mjs", import.meta.url));
process.exitCode = spawnSync(process.execPath, [build, "--if-missing"], { stdio: "inherit" }).status ?? 1;

/** Returns why it could not, or nothing when the file is there afterwards. */
function install({ what, file, movedBy, packages }) {
  if (movedBy) return `${movedBy} says where it should be, so nothing is installed`;
  if (!succeeds("apt-get", ["--version"])) return "there is no apt-get here";
  const prefix = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (prefix.length > 0 && !succeeds("sudo", ["-n", "true"])) return "installing it needs root";

  console.log(`The tests need ${what}. Installing Debian's packages: ${packages.join(", ")} …`);
  const environment = ["env", "DEBIAN_FRONTEND=noninteractive"];
  for (const call of [["update"], ["install", "-y", "--no-install-recommends", ...packages]]) {
    const [command, ...rest] = [...prefix, ...environment, "apt-get", "-qq", ...call];
    const { status, stdout, stderr } = spawnSync(command, rest, { encoding: "utf8", stdio: "pipe" });
    if (status !== 0) {
      process.stderr.write(`${stdout}${stderr}`);
      return `apt-get ${call[0]} failed`;
    }
  }
  return existsSync(file) ? undefined : "apt-get did not bring it";
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
