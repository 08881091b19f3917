#!/usr/bin/env node
import { adminCommand, contextCommand } from "./commands/admin.ts";
import { checkCommand } from "./commands/check.ts";
import { CommandError } from "./commands/command-error.ts";
import { keysCommand } from "./commands/keys.ts";
import { startCommand } from "./commands/start.ts";
import { ConfigError } from "./config.ts";

const USAGE = `sluice: a realtime gateway

  sluice start [--dev] [--config FILE] [--port N] …   run the server
  sluice keys create|list|show|edit|rotate|revoke|import|export …
                                                      manage API keys of a running server
  sluice admin token --rotate|--reset                 a new admin token
  sluice context --url URL --token TOKEN              save where your server is
  sluice check --key K --origin O --ip A --connect …  would a request be let in, and why

Each command's --help says more.
`;

/** @returns the exit code: 0 done, 1 failed, 2 called wrongly. */
async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "start":
      return startCommand(rest);
    case "keys":
      return keysCommand(rest);
    case "admin":
      return adminCommand(rest);
    case "context":
      return contextCommand(rest);
    case "check":
      return checkCommand(rest);
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

// `sluice keys list | head`: whoever reads has read enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isExpected = error instanceof CommandError || error instanceof ConfigError;
    const text =
      error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
    process.stderr.write(`sluice: ${text.trimEnd()}\n`);
    process.exitCode = error instanceof CommandError ? error.exitCode : 1;
  },
);
