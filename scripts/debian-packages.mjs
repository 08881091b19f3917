import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A registry that does not answer must not hold anybody up for good. */
const APT_LIMIT_MS = 240_000;

let isUpdated = false;

/**
 * Install what is missing through Debian's packages where that may be done, and say so first. Where it cannot be
 * had, say what that means.
 * @param {{ what: string, file: string, movedBy?: string, packages: string[], users: string }[]} needs
 */
export function provide(needs) {
  for (const need of needs.filter(({ file }) => !existsSync(file))) {
    const reason = install(need);
    if (reason === undefined) continue;
    const outcome = process.env.CI ? "will fail, because CI is set" : "will be reported as skipped";
    console.log(`${need.what} is missing (${need.file}): ${reason}; ${need.users} ${outcome}.`);
  }
}

/** Where a program is, or where Debian puts it. */
export function inPath(program) {
  // Where servers are, which not every user's PATH names.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"].filter(
    (folder) => folder !== "",
  );
  const files = folders.map((folder) => join(folder, program));
  return files.find((file) => existsSync(file)) ?? `/usr/bin/${program}`;
}

/** Returns why it could not, or nothing when the file is there afterwards. */
function install({ what, file, movedBy, packages }) {
  if (movedBy) return `${movedBy} says where it should be, so nothing is installed`;
  if (!succeeds("apt-get", ["--version"])) return "there is no apt-get here";
  const prefix = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (prefix.length > 0 && !succeeds("sudo", ["-n", "true"])) return "installing it needs root";

  console.log(`${what} is needed. Installing Debian's packages: ${packages.join(", ")} …`);
  const environment = ["env", "DEBIAN_FRONTEND=noninteractive"];
  const calls = [["install", "-y", "--no-install-recommends", ...packages]];
  // The lists are the same for all that is missing.
  if (!isUpdated) calls.unshift(["update"]);
  for (const call of calls) {
    const [command, ...rest] = [...prefix, ...environment, "apt-get", "-qq", ...call];
    const limits = { timeout: APT_LIMIT_MS, killSignal: "SIGKILL" };
    const { status, stdout, stderr } = spawnSync(command, rest, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      ...limits,
    });
    if (status !== 0) {
      process.stderr.write(`${stdout}${stderr}`);
      return `apt-get ${call[0]} failed`;
    }
    isUpdated = true;
  }
  return existsSync(file) ? undefined : "apt-get did not bring it";
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
