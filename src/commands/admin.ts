import { existsSync } from "node:fs";
import { join } from "node:path";
import { resetAdminToken } from "../admin/index.ts";
import { openKeyStore } from "../keys/index.ts";
import { Audit } from "../observe/audit.ts";
import { createLogger } from "../observe/log.ts";
import { AdminClient, assertUsable, CONNECTION_OPTIONS, isSameUrl, stringAt } from "./admin-client.ts";
import { CommandError, readArguments } from "./command-error.ts";
import { contextFile, forgetContext, readContext, writeContext } from "./context.ts";
import { printOnce } from "./output.ts";
import { printableLine } from "./printable.ts";

const USAGE = `sluice admin token --rotate            make a new admin token; the old one and every session end
sluice admin token --reset --store URL  the way back in when the token is lost: writes to the store itself, for who
                                       may write its folder; the server may run or not

  --url URL --token TOKEN                as for sluice keys
`;

const CONTEXT_USAGE = `sluice context [--url URL] [--token TOKEN]  save where your server is, for the commands
sluice context --forget                    forget it
`;

export async function adminCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    options: {
      ...CONNECTION_OPTIONS,
      rotate: { type: "boolean" },
      reset: { type: "boolean" },
      store: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (positionals.join(" ") !== "token" || (values.rotate === true) === (values.reset === true)) {
    throw new CommandError(USAGE, 2);
  }
  if (values.reset === true) {
    const store = values.store ?? process.env["SLUICE_STORE"] ?? "lmdb:./data";
    if (!store.startsWith("lmdb:") || !existsSync(join(store.slice("lmdb:".length), "data.mdb"))) {
      throw new CommandError(`there is no store ${store}: give the server's own with --store lmdb:<folder>`);
    }
    const keys = await openKeyStore(store);
    try {
      const made = await resetAdminToken(keys);
      const actor = { by: "store-access", client: "cli", address: null } as const;
      await new Audit(keys, createLogger("warn")).record({ action: "admin-token.rotated", actor });
      await printToken(made, "run the same command again");
    } finally {
      await keys.close();
    }
    return 0;
  }
  const client = await AdminClient.open(values, process.env);
  const answer = await client.call("/token/rotate", { method: "POST" });
  return printToken(
    stringAt(answer, "token") ?? "",
    "make another with sluice admin token --reset --store lmdb:<folder>, where the server runs",
  );
}

export async function contextCommand(args: readonly string[]): Promise<number> {
  const { values } = readArguments({
    args: [...args],
    options: { ...CONNECTION_OPTIONS, forget: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    process.stdout.write(CONTEXT_USAGE);
    return 0;
  }
  if (values.forget === true) {
    await forgetContext(process.env);
    process.stdout.write(`${printableLine(contextFile(process.env))} is gone.\n`);
    return 0;
  }
  if (values.url === undefined && values.token === undefined) throw new CommandError(CONTEXT_USAGE, 2);
  const saved =
    values.url !== undefined && values.token !== undefined ? undefined : await readContext(process.env);
  const url = values.url ?? saved?.url;
  const isSameServer = values.url === undefined || isSameUrl(values.url, saved?.url);
  const token = values.token ?? (isSameServer ? saved?.token : undefined);
  assertUsable(url, token);
  const file = await writeContext(process.env, { url, token });
  process.stdout.write(`Saved in ${printableLine(file)}, for you alone to read.\n`);
  return 0;
}

function printToken(token: string, remedy: string): Promise<number> {
  return printOnce(
    `Admin token  ${printableLine(token)}\n\nIt is shown once: keep it now. The one before no longer works.\n`,
    remedy,
  );
}
