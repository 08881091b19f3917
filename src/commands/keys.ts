import { AdminClient, CONNECTION_OPTIONS, memberOf, stringAt } from "./admin-client.ts";
import { CommandError, readArguments } from "./command-error.ts";
import { closingOf, confirm, plural } from "./confirmation.ts";
import { exportKeys, importKeys } from "./keys-backup.ts";
import { printJson, printSecret, printWarnings } from "./output.ts";
import { printableLine } from "./printable.ts";
import { SETTINGS_OPTIONS, settingsOf } from "./settings-flags.ts";
import { table } from "./table.ts";

const USAGE = `sluice keys: manage API keys of a running server

  sluice keys create --name NAME [SETTINGS]     make a key; its secret is shown once
  sluice keys list
  sluice keys show ID
  sluice keys edit ID [--name NAME] [SETTINGS] [--enable|--disable] [--if-version N] [--yes]
  sluice keys rotate ID [--overlap SECONDS]     a new secret; the old one works on for a day, or as long as given
  sluice keys revoke ID [--yes]
  sluice keys export [--file FILE]              a backup: digests, not secrets
  sluice keys import --file FILE [--replace|--skip] [--agnost [--allow-weak]]

  SETTINGS: [--realtime|--no-realtime] [--endpoints MODE] [--endpoint E]… [--domain D]… [--ip I]…
            [--broadcast-to key|everyone] [--limit NAME=LIMIT/WINDOW[/PER][/KIND]]… [--no-limits]
            [--expires INSTANT|never] [--settings JSON]
  MODE is no-access, full-access, custom-allowed or custom-excluded. A domain, an address or an endpoint
  given limits the key to what is given. Broadcasts reach the connections of the key (the default) or everyone. A limit is
  NAME=LIMIT/WINDOW/PER/KIND: burst=50/1s, daily=10000/1d/key, arrivals=20/1m/joins; PER is connection (the default), address,
  client or key; KIND is what it counts: calls (the default), joins or reads. Limits that are given replace those that
  the key has.

  On a terminal, edit and revoke say what they close and ask; --yes answers.

  --url URL      the admin listener (SLUICE_ADMIN_URL, http://127.0.0.1:8081)
  --token TOKEN  the admin token (SLUICE_ADMIN_TOKEN), or saved with sluice context
  --json         print what the API answers
`;

const MAX_PAGES = 10_000;

/** @returns the exit code. */
export async function keysCommand(args: readonly string[]): Promise<number> {
  const [action, ...rest] = args;
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(USAGE);
    return 0;
  }
  switch (action) {
    case "create":
      return create(rest);
    case "list":
      return list(rest);
    case "show":
      return show(rest);
    case "edit":
      return edit(rest);
    case "rotate":
      return rotate(rest);
    case "revoke":
      return revoke(rest);
    case "export":
      return exportKeys(rest);
    case "import":
      return importKeys(rest);
    case undefined:
    case "--help":
    case "-h":
    case "help":
      process.stdout.write(USAGE);
      return action === undefined ? 2 : 0;
    default:
      throw new CommandError(`there is no "sluice keys ${action}"\n\n${USAGE}`, 2);
  }
}

async function create(args: readonly string[]): Promise<number> {
  const { values } = readArguments({
    args: [...args],
    options: { ...CONNECTION_OPTIONS, ...SETTINGS_OPTIONS },
  });
  const settings = settingsOf(values);
  const client = await AdminClient.open(values, process.env);
  const key = await client.call("/keys", { method: "POST", body: settings });
  const id = stringAt(key, "id") ?? "";
  await printSecret(key, values.json === true, `make another with sluice keys rotate ${id} --overlap 0`);
  if (values.json !== true) printWarnings(key);
  return 0;
}

async function edit(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    options: {
      ...CONNECTION_OPTIONS,
      ...SETTINGS_OPTIONS,
      enable: { type: "boolean" },
      disable: { type: "boolean" },
      "if-version": { type: "string" },
      yes: { type: "boolean" },
    },
    allowPositionals: true,
  });
  const id = oneId("edit", positionals);
  const patch = settingsOf(values);
  if (values.enable === true && values.disable === true)
    throw new CommandError("give --enable or --disable", 2);
  const ifVersion = values["if-version"];
  if (ifVersion !== undefined && !/^[1-9][0-9]{0,14}$/.test(ifVersion)) {
    throw new CommandError("--if-version takes a version", 2);
  }
  if (values.enable === true || values.disable === true) patch["enabled"] = values.enable === true;
  if (Object.keys(patch).length === 0)
    throw new CommandError("sluice keys edit takes something to change", 2);
  const client = await AdminClient.open(values, process.env);
  const path = `/keys/${encodeURIComponent(id)}`;
  const version = ifVersion ?? String(memberOf(await client.call(path), "version"));
  const effect = closingOf(
    await client.call(`${path}/preview`, {
      method: "POST",
      body: patch,
      contentType: "application/merge-patch+json",
    }),
  );
  if (effect !== undefined) await confirm(`The change of ${id} ${effect}.`, values);
  const key = await client.call(path, {
    method: "PATCH",
    body: patch,
    headers: { "if-match": `"${version}"` },
    contentType: "application/merge-patch+json",
  });
  if (values.json === true) return printJson(key);
  process.stdout.write(
    `${printableLine(`Key ${id} is changed, at version ${String(memberOf(key, "version"))}.`)}\n`,
  );
  printWarnings(key);
  return 0;
}

async function rotate(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    options: { ...CONNECTION_OPTIONS, overlap: { type: "string" } },
    allowPositionals: true,
  });
  const id = oneId("rotate", positionals);
  const { overlap } = values;
  if (overlap !== undefined && !/^[0-9]{1,9}$/.test(overlap))
    throw new CommandError("--overlap takes seconds", 2);
  const client = await AdminClient.open(values, process.env);
  const body = overlap === undefined ? {} : { overlapSeconds: Number(overlap) };
  const key = await client.call(`/keys/${encodeURIComponent(id)}/rotate`, { method: "POST", body });
  return printSecret(key, values.json === true, `make another with sluice keys rotate ${id}`);
}

async function list(args: readonly string[]): Promise<number> {
  const { values } = readArguments({ args: [...args], options: CONNECTION_OPTIONS });
  const client = await AdminClient.open(values, process.env);
  const rows: string[][] = [];
  const damaged: string[] = [];
  let after: string | undefined;
  const all: unknown[] = [];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const cursor = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
    const answer = await client.call(`/keys?limit=1000${cursor}`);
    for (const key of itemsOf(answer)) {
      all.push(key);
      rows.push(rowOf(key));
    }
    for (const id of unreadableOf(answer)) {
      damaged.push(id);
      rows.push([id, "", "", "unreadable", "", "", ""]);
    }
    after = stringAt(answer, "next");
    if (after === undefined) break;
  }
  if (damaged.length > 0)
    process.stderr.write(
      `Damaged keys let nobody in. Revoke them, and bring them back from a backup (sluice keys import): ${damaged.length}\n`,
    );
  if (values.json === true)
    return printJson([...all, ...damaged.map((id) => ({ id, state: "unreadable", settings: null }))]);
  process.stdout.write(
    rows.length === 0
      ? "There are no keys yet: sluice keys create --name NAME makes one.\n"
      : table(["ID", "NAME", "HINT", "STATE", "REALTIME", "ENDPOINTS", "EXPIRES"], rows),
  );
  return 0;
}

async function show(args: readonly string[]): Promise<number> {
  const { client, id } = await readId("show", args);
  const key = await client.call(`/keys/${encodeURIComponent(id)}`);
  return printJson(key);
}

async function revoke(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args: [...args],
    options: { ...CONNECTION_OPTIONS, yes: { type: "boolean" } },
    allowPositionals: true,
  });
  const id = oneId("revoke", positionals);
  const client = await AdminClient.open(values, process.env);
  const path = `/keys/${encodeURIComponent(id)}`;
  await confirm(await revocationOf(client, path, id), values);
  await client.call(path, { method: "DELETE" });
  if (values.json === true) return printJson({ id, revoked: true });
  process.stdout.write(`${printableLine(`Key ${id} is revoked; its connections are closed.`)}\n`);
  return 0;
}

/** What revoking a key does, in a sentence. A damaged key cannot be read, and can be revoked. */
async function revocationOf(client: AdminClient, path: string, id: string): Promise<string> {
  const key = await client.call(path).catch((error: unknown) => {
    if (error instanceof CommandError) return undefined;
    throw error;
  });
  const connections = memberOf(key, "connections");
  const name = stringAt(memberOf(key, "settings"), "name");
  const closes = typeof connections === "number" ? ` and closes ${plural(connections)}` : "";
  return `Revoking ${id}${name === undefined ? "" : ` ("${name}")`} cannot be undone${closes}.`;
}

async function readId(
  action: string,
  args: readonly string[],
): Promise<{ client: AdminClient; id: string; json: boolean }> {
  const { values, positionals } = readArguments({
    args: [...args],
    options: CONNECTION_OPTIONS,
    allowPositionals: true,
  });
  const id = oneId(action, positionals);
  return { client: await AdminClient.open(values, process.env), id, json: values.json === true };
}

function oneId(action: string, positionals: readonly string[]): string {
  const [id, ...others] = positionals;
  if (id === undefined || others.length > 0) {
    throw new CommandError(`sluice keys ${action} takes one key's id: sluice keys list shows them`, 2);
  }
  return id;
}

function itemsOf(answer: unknown): readonly unknown[] {
  if (typeof answer !== "object" || answer === null || !("items" in answer)) return [];
  return Array.isArray(answer.items) ? answer.items : [];
}

/** Ids of keys whose record cannot be read: they have no settings to show. */
function unreadableOf(answer: unknown): readonly string[] {
  const ids = memberOf(answer, "unreadable");
  return Array.isArray(ids) ? ids.filter((id: unknown) => typeof id === "string") : [];
}

function rowOf(key: unknown): string[] {
  const settings: unknown = memberOf(key, "settings");
  const expiresAt = stringAt(settings, "expiresAt");
  return [
    stringAt(key, "id") ?? "",
    stringAt(settings, "name") ?? "",
    stringAt(key, "hint") ?? "",
    stringAt(key, "state") ?? "",
    memberOf(settings, "allowRealtime") === true ? "yes" : "no",
    stringAt(memberOf(settings, "endpoints"), "mode") ?? "",
    expiresAt ?? "never",
  ];
}
