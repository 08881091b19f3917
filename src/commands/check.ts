import { AdminClient, CONNECTION_OPTIONS, memberOf, stringAt } from "./admin-client.ts";
import { CommandError, readArguments } from "./command-error.ts";
import { printJson } from "./output.ts";
import { printableLine } from "./printable.ts";

const USAGE = `sluice check: would a request be let in, and why?

  sluice check (--key SECRET | --key-id ID | --settings JSON) [--origin O] [--ip A]
               (--endpoint "GET /orders" | --connect | --join C | --publish C | --presence C | --history C | --broadcast)

  It asks a running server, prints every check in order, and exits with 0 when the request would be let in,
  with 1 when not, with 2 when it could not be asked.

  --url URL      the admin listener (SLUICE_ADMIN_URL, http://127.0.0.1:8081)
  --token TOKEN  the admin token (SLUICE_ADMIN_TOKEN)
  --json         print what the API answers
`;

const CHANNEL_ACTIONS = ["join", "publish", "presence", "history"] as const;

/** @returns 0 allowed, 1 denied. @throws CommandError (2) when it cannot be asked. */
export async function checkCommand(args: readonly string[]): Promise<number> {
  const { values } = readArguments({
    args: [...args],
    options: {
      ...CONNECTION_OPTIONS,
      help: { type: "boolean", short: "h" },
      key: { type: "string" },
      "key-id": { type: "string" },
      settings: { type: "string" },
      origin: { type: "string" },
      ip: { type: "string" },
      endpoint: { type: "string" },
      connect: { type: "boolean" },
      broadcast: { type: "boolean" },
      join: { type: "string" },
      publish: { type: "string" },
      presence: { type: "string" },
      history: { type: "string" },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const wanted: object[] = CHANNEL_ACTIONS.flatMap((action) => {
    const channel = values[action];
    return channel === undefined ? [] : [{ action, channel }];
  });
  if (values.endpoint !== undefined) wanted.push({ action: "endpoint", endpoint: values.endpoint });
  if (values.connect === true) wanted.push({ action: "connect" });
  if (values.broadcast === true) wanted.push({ action: "broadcast" });
  const about: object[] = [];
  if (values.key !== undefined) about.push({ apiKey: values.key });
  if (values["key-id"] !== undefined) about.push({ keyId: values["key-id"] });
  if (values.settings !== undefined) about.push({ settings: parseJson(values.settings) });
  if (wanted.length !== 1 || about.length !== 1) throw new CommandError(USAGE, 2);
  const body = {
    ...about[0],
    request: { ...wanted[0], origin: values.origin ?? null, ip: values.ip ?? null },
  };

  const client = await AdminClient.open(values, process.env);
  const answer = await askOrFail(client, body);
  const decision = memberOf(answer, "decision");
  const isAllowed = memberOf(decision, "allowed") === true;
  if (values.json === true) {
    printJson(answer);
  } else {
    process.stdout.write(`${linesOf(answer).map(printableLine).join("\n")}\n`);
  }
  return isAllowed ? 0 : 1;
}

/** Exit code 1 is a decision: what keeps the question from being asked is 2. */
async function askOrFail(client: AdminClient, body: unknown): Promise<unknown> {
  try {
    return await client.call("/explain", { method: "POST", body });
  } catch (error) {
    if (error instanceof CommandError) throw new CommandError(error.message, 2);
    throw error;
  }
}

function linesOf(answer: unknown): string[] {
  const checks = memberOf(answer, "checks");
  const lines = (Array.isArray(checks) ? checks : []).map((check: unknown) => {
    const mark = memberOf(check, "passed") === true ? "ok  " : "NO  ";
    return `${mark}${(stringAt(check, "check") ?? "").padEnd(9)} ${stringAt(check, "message") ?? ""}`;
  });
  const decision = memberOf(answer, "decision");
  const code = stringAt(decision, "code");
  lines.push(code === undefined ? "allowed" : `denied: ${code}: ${stringAt(decision, "message") ?? ""}`);
  return lines;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError("--settings takes JSON", 2);
  }
}
