import { AdminClient, CONNECTION_OPTIONS, stringAt } from "./admin-client.ts";
import { CommandError, readArguments } from "./command-error.ts";
import { table } from "./table.ts";

const USAGE = `sluice keys: manage API keys of a running server

  sluice keys create --name NAME [--realtime] [--endpoints MODE] [--endpoint E]… [--domain D]… [--ip I]…
                     [--expires INSTANT] [--settings JSON]
  sluice keys list
  sluice keys show ID
  sluice keys revoke ID

  --url URL      the admin listener (SLUICE_ADMIN_URL, http://127.0.0.1:8081)
  --token TOKEN  the admin token (SLUICE_ADMIN_TOKEN)
  --json         print what the API answers

  MODE is no-access, full-access, custom-allowed or custom-excluded. A domain, an address or an endpoint
  given limits the key to what is given.
`;

const MAX_PAGES = 10_000;

/** @returns the exit code. */
export async function keysCommand(args: readonly string[]): Promise<number> {
  const [action, ...rest] = args;
  switch (action) {
    case "create":
      return create(rest);
    case "list":
      return list(rest);
    case "show":
      return show(rest);
    case "revoke":
      return revoke(rest);
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
    options: {
      ...CONNECTION_OPTIONS,
      name: { type: "string" },
      realtime: { type: "boolean" },
      endpoints: { type: "string" },
      endpoint: { type: "string", multiple: true },
      domain: { type: "string", multiple: true },
      ip: { type: "string", multiple: true },
      expires: { type: "string" },
      settings: { type: "string" },
    },
  });
  const settings: Record<string, unknown> = { ...parseSettingsFlag(values.settings) };
  if (values.name !== undefined) settings["name"] = values.name;
  if (values.realtime === true) settings["allowRealtime"] = true;
  if (values.endpoints !== undefined || values.endpoint !== undefined) {
    settings["endpoints"] = { mode: values.endpoints ?? "custom-allowed", list: values.endpoint ?? [] };
  }
  if (values.domain !== undefined) settings["domains"] = { mode: "specified", list: values.domain };
  if (values.ip !== undefined) settings["ips"] = { mode: "specified", list: values.ip };
  if (values.expires !== undefined) settings["expiresAt"] = values.expires;
  const client = new AdminClient(values, process.env);
  const key = await client.call("/keys", { method: "POST", body: settings });
  if (values.json === true) return printJson(key);
  process.stdout.write(
    `Key      ${stringAt(key, "id")}\nSecret   ${stringAt(key, "secret")}\n\nThe secret is shown once: keep it now.\n`,
  );
  printWarnings(key);
  return 0;
}

async function list(args: readonly string[]): Promise<number> {
  const { values } = readArguments({ args: [...args], options: CONNECTION_OPTIONS });
  const client = new AdminClient(values, process.env);
  const rows: string[][] = [];
  let after: string | undefined;
  const all: unknown[] = [];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const cursor = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
    const answer = await client.call(`/keys?limit=1000${cursor}`);
    for (const key of itemsOf(answer)) {
      all.push(key);
      rows.push(rowOf(key));
    }
    after = stringAt(answer, "next");
    if (after === undefined) break;
  }
  if (values.json === true) return printJson(all);
  process.stdout.write(
    rows.length === 0
      ? "There are no keys yet: sluice keys create --name NAME makes one.\n"
      : table(["ID", "NAME", "HINT", "STATE", "REALTIME", "ENDPOINTS", "EXPIRES"], rows),
  );
  return 0;
}

async function show(args: readonly string[]): Promise<number> {
  const { client, id } = readId("show", args);
  const key = await client.call(`/keys/${encodeURIComponent(id)}`);
  return printJson(key);
}

async function revoke(args: readonly string[]): Promise<number> {
  const { client, id, json } = readId("revoke", args);
  await client.call(`/keys/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (json) return printJson({ id, revoked: true });
  process.stdout.write(`Key ${id} is revoked; its connections are closed.\n`);
  return 0;
}

function readId(action: string, args: readonly string[]): { client: AdminClient; id: string; json: boolean } {
  const { values, positionals } = readArguments({
    args: [...args],
    options: CONNECTION_OPTIONS,
    allowPositionals: true,
  });
  const [id, ...others] = positionals;
  if (id === undefined || others.length > 0) {
    throw new CommandError(`sluice keys ${action} takes one key's id: sluice keys list shows them`, 2);
  }
  return { client: new AdminClient(values, process.env), id, json: values.json === true };
}

function parseSettingsFlag(text: string | undefined): object {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new CommandError("--settings takes a JSON object", 2);
}

function itemsOf(answer: unknown): readonly unknown[] {
  if (typeof answer !== "object" || answer === null || !("items" in answer)) return [];
  return Array.isArray(answer.items) ? answer.items : [];
}

function rowOf(key: unknown): string[] {
  const settings: unknown = memberOf(key, "settings");
  const expiresAt = stringAt(settings, "expiresAt");
  const isExpired = expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();
  const state = memberOf(settings, "enabled") === false ? "disabled" : isExpired ? "expired" : "active";
  return [
    stringAt(key, "id") ?? "",
    stringAt(settings, "name") ?? "",
    stringAt(key, "hint") ?? "",
    state,
    memberOf(settings, "allowRealtime") === true ? "yes" : "no",
    stringAt(memberOf(settings, "endpoints"), "mode") ?? "",
    expiresAt ?? "never",
  ];
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function printWarnings(key: unknown): void {
  const warnings = memberOf(key, "warnings");
  if (!Array.isArray(warnings)) return;
  for (const warning of warnings) process.stdout.write(`Note: ${stringAt(warning, "message")}\n`);
}

function printJson(value: unknown): number {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  return 0;
}
