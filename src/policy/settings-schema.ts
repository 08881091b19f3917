/**
 * The schema of settings as they are stored. Schema 2 brought `broadcastTo` and a limit's `kind`; before, every broadcast
 * went to everyone connected. Documents that mean the same in both stay schema 1, so that an older server goes on reading
 * them; what it would misread is schema 2, which it refuses.
 */
export type SettingsSchema = 1 | 2;

type Document = Readonly<Record<string, unknown>>;

/** The oldest schema that says what these settings say. Total: of what is no settings, 1. */
export function schemaOf(settings: Document): SettingsSchema {
  const { broadcastTo, limits } = settings;
  if (broadcastTo !== undefined || grantsBroadcast(settings)) return 2;
  return elementsOf(limits).some((limit) => memberOf(limit, "kind") !== undefined) ? 2 : 1;
}

/**
 * Settings of a stored record, as this program means them. Whoever granted `broadcast` by a rule of its own before there
 * was `broadcastTo` meant everyone; a key without rules has it by default and is held to its own connections.
 */
export function upgradeStored(settings: Document, schema: SettingsSchema): Document {
  if (schema !== 1 || settings["broadcastTo"] !== undefined || !grantsBroadcast(settings)) return settings;
  return { ...settings, broadcastTo: "everyone" };
}

/** Whether a rule grants `broadcast`, which it can with the pattern `**` alone. */
function grantsBroadcast({ channels }: Document): boolean {
  return elementsOf(channels).some(
    (rule) =>
      memberOf(rule, "pattern") === "**" && elementsOf(memberOf(rule, "actions")).includes("broadcast"),
  );
}

function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
