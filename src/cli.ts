#!/usr/bin/env node
// First: it ends the process on a Node that is too old for the rest.
import "./commands/node-floor.ts";
import { CommandError } from "./commands/command-error.ts";
import { printable } from "./commands/printable.ts";
import type { ConfigError } from "./config/config.ts";
import { packageVersion } from "./version.ts";

const USAGE = `sluice: a realtime gateway

  sluice start [--dev] [--config FILE] [--port N] …   run the server
  sluice keys create|list|show|edit|rotate|revoke|import|export …
                                                      manage API keys of a running server
  sluice admin token --rotate|--reset                 a new admin token
  sluice backup FOLDER                                a copy of the store, also while a server uses it
  sluice audit verify                                 whether the record of what was done is unchanged
  sluice context --url URL --token TOKEN              save where your server is
  sluice check --key K --origin O --ip A --connect …  would a request be let in, and why

  sluice --version

Each command's --help says more.
`;

const CONFIG_ERROR: ConfigError["name"] = "ConfigError";

/** A command loads what it needs alone: most need no server. @returns the exit code: 0 done, 1 failed, 2 called wrongly. */
async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "start":
      return (await import("./commands/start.ts")).startCommand(rest);
    case "keys":
      return (await import("./commands/keys.ts")).keysCommand(rest);
    case "admin":
      return (await import("./commands/admin.ts")).adminCommand(rest);
    case "backup":
      return (await import("./commands/backup.ts")).backupCommand(rest);
    case "audit":
      return (await import("./commands/audit.ts")).auditCommand(rest);
    case "context":
      return (await import("./commands/admin.ts")).contextCommand(rest);
    case "check":
      return (await import("./commands/check.ts")).checkCommand(rest);
    case "--version":
    case "-v":
    case "version":
      process.stdout.write(`${packageVersion()}\n`);
      return 0;
    case undefined:
    case "help":
    case "--help":
    case "-h":
      process.stdout.write(USAGE);
      return command === undefined ? 2 : 0;
    default:
      throw new CommandError(`there is no command "${command}"\n\n${USAGE}`, 2);
  }
}

const args = process.argv.slice(2);
// `sluice keys list | head`: whoever reads has read enough. A server goes on without its reader.
if (args[0] !== "start")
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

main(args).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isExpected =
      error instanceof CommandError || (error instanceof Error && error.name === CONFIG_ERROR);
    const text =
      error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
    const code = error instanceof CommandError ? error.exitCode : 1;
    process.exitCode = code;
    // What a configuration file has begun (a timer, a connection) does not keep a start that failed.
    process.stderr.write(`sluice: ${printable(text.trimEnd())}\n`, () => process.exit(code));
  },
);
