import { existsSync } from "node:fs";
import { join } from "node:path";
import { openKeyStore } from "../keys/index.ts";
import { Audit, type ChainPlace } from "../observe/audit.ts";
import { createLogger } from "../observe/log.ts";
import { AdminClient, CONNECTION_OPTIONS, memberOf, stringAt } from "./admin-client.ts";
import { CommandError, readArguments } from "./command-error.ts";
import { printJson } from "./output.ts";
import { printableLine } from "./printable.ts";

const USAGE = `sluice audit verify [--head N:DIGEST] [--store URL]

  Looks at every entry of what operators did: each has the digest of the one before. It prints the head of the chain, and exits
  with 1 and the first broken link when something was changed or removed. Note the head elsewhere: --head compares what is
  there with what you noted, so that a chain that was written anew is found, too.

  --head N:DIGEST        a head that was printed before
  --store URL            look into the store itself, for who may read its folder; the server may run or not
  --url URL --token TOKEN
                         as for sluice keys
  --json                 print what the API answers
`;

/** @returns 0 when the chain holds, 1 when not */
export async function auditCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    options: {
      ...CONNECTION_OPTIONS,
      head: { type: "string" },
      store: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (positionals.join(" ") !== "verify") throw new CommandError(USAGE, 2);
  const known = values.head === undefined ? undefined : placeOf(values.head);
  const check =
    values.store === undefined
      ? await (await AdminClient.open(values, process.env)).call(`/audit/verify${queryOf(known)}`)
      : await verifyStore(values.store, known);
  const isIntact = memberOf(check, "intact") === true;
  if (values.json === true) {
    printJson(check);
    return isIntact ? 0 : 1;
  }
  const head = memberOf(check, "head");
  const place = `${String(memberOf(head, "sequence"))}:${stringAt(head, "digest") ?? ""}`;
  const checked = String(memberOf(check, "checked"));
  if (isIntact) {
    process.stdout.write(printableLine(`The chain holds: ${checked} entries. Head ${place}`).concat("\n"));
    return 0;
  }
  const broken = memberOf(check, "broken");
  const sequence = String(memberOf(broken, "sequence"));
  const reason = stringAt(broken, "reason") ?? "";
  throw new CommandError(printableLine(`the chain is broken at entry ${sequence}: ${reason}`));
}

/** Reads a store's folder. @throws CommandError when there is none */
async function verifyStore(store: string, known: ChainPlace | undefined): Promise<unknown> {
  if (!store.startsWith("lmdb:") || !existsSync(join(store.slice("lmdb:".length), "data.mdb"))) {
    throw new CommandError(`there is no store ${store}: give the server's own with --store lmdb:<folder>`, 2);
  }
  const keys = await openKeyStore(store);
  try {
    return await new Audit(keys, createLogger("warn")).verify(known);
  } finally {
    await keys.close();
  }
}

function placeOf(text: string): ChainPlace {
  const [sequence = "", digest = "", ...rest] = text.split(":");
  if (!/^[1-9][0-9]{0,14}$/.test(sequence) || !/^[0-9a-f]{64}$/.test(digest) || rest.length > 0) {
    throw new CommandError("--head takes N:DIGEST, as sluice audit verify prints it", 2);
  }
  return { sequence: Number(sequence), digest };
}

function queryOf(known: ChainPlace | undefined): string {
  return known === undefined ? "" : `?sequence=${known.sequence}&digest=${known.digest}`;
}
