import { CommandError } from "./command-error.ts";

/** Flags for what people set most; `--settings` takes the rest as JSON. */
export const SETTINGS_OPTIONS = {
  name: { type: "string" },
  realtime: { type: "boolean" },
  "no-realtime": { type: "boolean" },
  endpoints: { type: "string" },
  endpoint: { type: "string", multiple: true },
  domain: { type: "string", multiple: true },
  ip: { type: "string", multiple: true },
  "broadcast-to": { type: "string" },
  limit: { type: "string", multiple: true },
  "no-limits": { type: "boolean" },
  expires: { type: "string" },
  settings: { type: "string" },
} as const;

export type SettingsFlags = {
  readonly name?: string | undefined;
  readonly realtime?: boolean | undefined;
  readonly "no-realtime"?: boolean | undefined;
  readonly endpoints?: string | undefined;
  readonly endpoint?: readonly string[] | undefined;
  readonly domain?: readonly string[] | undefined;
  readonly ip?: readonly string[] | undefined;
  readonly "broadcast-to"?: string | undefined;
  readonly limit?: readonly string[] | undefined;
  readonly "no-limits"?: boolean | undefined;
  readonly expires?: string | undefined;
  readonly settings?: string | undefined;
};

/** The settings that the flags name, as the API takes them. The server judges them. @throws CommandError for what is no JSON or no limit */
export function settingsOf(flags: SettingsFlags): Record<string, unknown> {
  const settings: Record<string, unknown> = { ...parseObject(flags.settings) };
  if (flags.name !== undefined) settings["name"] = flags.name;
  if (flags.realtime === true && flags["no-realtime"] === true) {
    throw new CommandError("give --realtime or --no-realtime", 2);
  }
  if (flags.realtime === true) settings["allowRealtime"] = true;
  if (flags["no-realtime"] === true) settings["allowRealtime"] = false;
  if (flags.endpoints !== undefined || flags.endpoint !== undefined) {
    settings["endpoints"] = { mode: flags.endpoints ?? "custom-allowed", list: flags.endpoint ?? [] };
  }
  if (flags.domain !== undefined) settings["domains"] = { mode: "specified", list: flags.domain };
  if (flags.ip !== undefined) settings["ips"] = { mode: "specified", list: flags.ip };
  if (flags["broadcast-to"] !== undefined) settings["broadcastTo"] = flags["broadcast-to"];
  if (flags.limit !== undefined && flags["no-limits"] === true) {
    throw new CommandError("give --limit or --no-limits", 2);
  }
  if (flags.limit !== undefined) settings["limits"] = flags.limit.map(parseLimit);
  if (flags["no-limits"] === true) settings["limits"] = [];
  if (flags.expires !== undefined) settings["expiresAt"] = flags.expires === "never" ? null : flags.expires;
  return settings;
}

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

const KINDS: ReadonlySet<string> = new Set(["calls", "joins", "reads"]);

/**
 * `NAME=LIMIT/WINDOW[/PER][/KIND]`, the window with a unit: `burst=50/1s`, `daily=10000/1d/key`, `arrivals=20/1m/joins`. A
 * word that names no kind is taken for PER.
 */
function parseLimit(text: string): object {
  const match = /^([^=]+)=([0-9]{1,15})\/([0-9]{1,9})([smhd])(?:\/([a-z]+))?(?:\/([a-z]+))?$/.exec(text);
  if (match === null) {
    throw new CommandError(
      `--limit takes NAME=LIMIT/WINDOW[/PER][/KIND], such as burst=50/1s, daily=10000/1d/key or arrivals=20/1m/joins, not "${text}"`,
      2,
    );
  }
  const [, name, limit, window, unit = "", first, second] = match;
  const windowSeconds = Number(window) * (SECONDS_OF[unit] ?? 1);
  const isKindAlone = first !== undefined && second === undefined && KINDS.has(first);
  const [per, kind] = isKindAlone ? [undefined, first] : [first, second];
  return {
    name,
    limit: Number(limit),
    windowSeconds,
    ...(per === undefined ? {} : { per }),
    ...(kind === undefined ? {} : { kind }),
  };
}

function parseObject(text: string | undefined): object {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new CommandError("--settings takes a JSON object", 2);
}
