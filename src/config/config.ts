import { loadConfig as loadFile } from "c12";
import type { LogLevel } from "../observe/log.ts";
import { DEFAULT_THRESHOLDS, type OverloadThresholds } from "../overload/index.ts";
import type { ChannelDeclaration } from "./channel-declaration.ts";
import { runsInContainer } from "./container.ts";
import { budgetsOf, type MemoryBudgets } from "./default-budgets.ts";
import type { EndpointDeclaration } from "./endpoint-declaration.ts";
import { settingVariables } from "./environment-variables.ts";
import { ENVIRONMENT_ALIASES, withoutAliases } from "./setting-aliases.ts";
import { settingFault } from "./setting-fault.ts";

/** Everything that decides how a server runs. What is absent in a file has its default. */
export type Config = MemoryBudgets & {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** Under which browsers reach the public listener. */
  readonly publicOrigins: readonly string[];
  /** `lmdb:<folder>` or `memory:`. */
  readonly store: string;
  readonly keySweepSeconds: number;
  /** For how many days the audit keeps what was done; 0: for ever. */
  readonly auditDays: number;
  readonly trustedProxies: readonly string[];
  readonly forwardedHeader: "x-forwarded-for" | "forwarded" | "x-real-ip";
  readonly adminToken: string | undefined;
  /** A collector's token for `/metrics`; without one the admin token opens it. */
  readonly metricsToken: string | undefined;
  /** Where `/metrics` is served beside the admin listener, for a collector that is not to reach the console. */
  readonly metricsPort: number | undefined;
  readonly metricsHost: string;
  /** Where the console is reached from, besides `localhost` and the admin host: behind a proxy, for instance. */
  readonly adminOrigin: string | undefined;
  readonly realtime: boolean;
  readonly keyRequired: boolean;
  readonly apiKeyInQuery: boolean;
  readonly connectTimeoutMs: number;
  /** How often each client is asked whether it is there, and how long it may take to say so. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly maxPendingPerAddress: number;
  /** Of this node; 0: no limit. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxConnectionsPerKey: number;
  /** What a client may leave unread before it is cut off, beside the message that exceeds it. */
  readonly maxOutboundBytes: number;
  /** How long it may then read nothing. */
  readonly maxUnreadMs: number;
  /** From which value of a resource on the node protects itself, for each of its stages; false: never. */
  readonly overload: OverloadThresholds | false;
  /** How many members may hear of one connection's joins, leaves and updates in a second, ten seconds' worth at once; 0: no limit. */
  readonly maxPresenceDeliveriesPerSecond: number;
  /** TCP connections of the public listener, WebSockets included; 0: what the descriptor limit leaves room for, which it never exceeds. */
  readonly maxTcpConnections: number;
  /** Bytes of HTTP answers that nobody has read, of all connections together. */
  readonly maxUnsentHttpBytes: number;
  /** What one connection may send. */
  readonly maxRequestsPerSecond: number;
  readonly maxReceivedBytesPerSecond: number;
  readonly endpointPrefix: string;
  readonly endpoints: readonly EndpointDeclaration[];
  /** By pattern, the first that matches: how much history a channel keeps, and who hears of its members. */
  readonly channels: readonly ChannelDeclaration[];
  readonly logLevel: LogLevel;
};

export type ConfigInput = Partial<Omit<Config, "overload">> & {
  /** Resources that are not named keep their defaults. */
  readonly overload?: Partial<OverloadThresholds> | false;
  /** The same as `publicOrigins` with one of them. */
  readonly publicOrigin?: string;
};

/** Types a config file: `export default defineConfig({ … })`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/** A value that stops the start; the message names the setting and where it came from. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

export type { ChannelDeclaration } from "./channel-declaration.ts";
export type { EndpointContext, EndpointDeclaration, RealtimeForHandlers } from "./endpoint-declaration.ts";

const ENVIRONMENT: Readonly<Record<string, keyof Config>> = {
  SLUICE_HOST: "host",
  SLUICE_PORT: "port",
  SLUICE_ADMIN_HOST: "adminHost",
  SLUICE_ADMIN_PORT: "adminPort",
  SLUICE_PUBLIC_ORIGINS: "publicOrigins",
  SLUICE_STORE: "store",
  SLUICE_KEY_SWEEP_SECONDS: "keySweepSeconds",
  SLUICE_AUDIT_DAYS: "auditDays",
  SLUICE_TRUSTED_PROXIES: "trustedProxies",
  SLUICE_FORWARDED_HEADER: "forwardedHeader",
  SLUICE_ADMIN_TOKEN: "adminToken",
  SLUICE_ADMIN_ORIGIN: "adminOrigin",
  SLUICE_METRICS_HOST: "metricsHost",
  SLUICE_METRICS_PORT: "metricsPort",
  SLUICE_METRICS_TOKEN: "metricsToken",
  SLUICE_REALTIME: "realtime",
  SLUICE_KEY_REQUIRED: "keyRequired",
  SLUICE_API_KEY_IN_QUERY: "apiKeyInQuery",
  SLUICE_PING_INTERVAL_MS: "pingIntervalMs",
  SLUICE_PING_TIMEOUT_MS: "pingTimeoutMs",
  SLUICE_MAX_CONNECTIONS: "maxConnections",
  SLUICE_MAX_CONNECTIONS_PER_ADDRESS: "maxConnectionsPerAddress",
  SLUICE_MAX_CONNECTIONS_PER_KEY: "maxConnectionsPerKey",
  SLUICE_MAX_PRESENCE_DELIVERIES_PER_SECOND: "maxPresenceDeliveriesPerSecond",
  SLUICE_MAX_TCP_CONNECTIONS: "maxTcpConnections",
  SLUICE_MAX_UNSENT_HTTP_BYTES: "maxUnsentHttpBytes",
  SLUICE_MAX_HISTORY_BYTES: "maxHistoryBytes",
  SLUICE_MAX_DISCONNECTED_BYTES: "maxDisconnectedBytes",
  SLUICE_MAX_CHANNELS: "maxChannels",
  SLUICE_MAX_MEMBERSHIPS: "maxMemberships",
  SLUICE_MAX_IDLE_CHANNELS: "maxIdleChannels",
  SLUICE_MAX_MESSAGE_IDS: "maxMessageIds",
  SLUICE_MAX_REQUESTS_PER_SECOND: "maxRequestsPerSecond",
  SLUICE_MAX_RECEIVED_BYTES_PER_SECOND: "maxReceivedBytesPerSecond",
  SLUICE_MAX_WAITING_BYTES: "maxWaitingBytes",
  SLUICE_MAX_UNSENT_BYTES: "maxUnsentBytes",
  SLUICE_ENDPOINT_PREFIX: "endpointPrefix",
  SLUICE_LOG_LEVEL: "logLevel",
};

/** Those of them that are numbers, besides each that begins with `max`. */
const NUMBERS: ReadonlySet<keyof Config> = new Set([
  "port",
  "adminPort",
  "metricsPort",
  "pingIntervalMs",
  "pingTimeoutMs",
  "keySweepSeconds",
  "auditDays",
]);

/** What said a setting's value; a program that made the configuration counts as its file. */
export type SettingSource = "flag" | "environment" | "file" | "default";
export type SettingInEffect = {
  readonly name: string;
  readonly value: unknown;
  readonly source: SettingSource;
  readonly environment: string | null;
  readonly description: string;
};

/** Beside the configurations, not in them: where each of their settings comes from. */
const sources = new WeakMap<Config, ReadonlyMap<string, SettingSource>>();

export function sourceOf(config: Config, name: keyof Config): SettingSource {
  return sources.get(config)?.get(name) ?? "default";
}

/** The environment variable of a setting, if it has one. */
export function environmentOf(name: keyof Config): string | undefined {
  return Object.keys(ENVIRONMENT).find((variable) => ENVIRONMENT[variable] === name);
}

export type ConfigSources = {
  /** Where `sluice.config.*` is looked for; absent: no file. */
  readonly folder?: string;
  /** A config file by name, which then has to exist. */
  readonly file?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly flags?: ConfigInput;
};

/**
 * Read the configuration: flags over environment over file over defaults; a list replaces a list.
 * @throws ConfigError for an unknown setting, a bad value or a file that cannot be read.
 */
export async function loadConfig(from: ConfigSources): Promise<Config> {
  return resolveLayers([
    ["file", await readFile(from)],
    ["environment", fromEnvironment(from.environment ?? {})],
    ["flag", from.flags ?? {}],
  ]);
}

/** Check settings and fill in the defaults; later inputs win. @throws ConfigError */
export function resolveConfig(...inputs: readonly object[]): Config {
  return resolveLayers(inputs.map((input) => ["file", input] as const));
}

function resolveLayers(given: readonly (readonly [SettingSource, object])[]): Config {
  const layers = given.map(([source, layer]) => [source, withoutAliases(layer)] as const);
  const input: object = Object.assign({}, ...layers.map(([, layer]) => defined(layer)));
  assertSettings(input);
  const config = withDefaults(input);
  const named = layers.flatMap(([source, layer]) =>
    Object.keys(defined(layer)).map((name) => [name, source] as const),
  );
  sources.set(config, new Map(named));
  return config;
}

function withDefaults(input: ConfigInput): Config {
  const port = input.port ?? 8080;
  return Object.freeze({
    host: input.host ?? (runsInContainer() ? "0.0.0.0" : "127.0.0.1"),
    port,
    adminHost: input.adminHost ?? "127.0.0.1",
    adminPort: input.adminPort ?? 8081,
    publicOrigins: Object.freeze([...(input.publicOrigins ?? localOrigins(port))]),
    store: input.store ?? "lmdb:./data",
    keySweepSeconds: input.keySweepSeconds ?? 5,
    auditDays: input.auditDays ?? 400,
    trustedProxies: Object.freeze([...(input.trustedProxies ?? [])]),
    forwardedHeader: input.forwardedHeader ?? "x-forwarded-for",
    adminToken: input.adminToken,
    adminOrigin: input.adminOrigin,
    metricsHost: input.metricsHost ?? input.adminHost ?? "127.0.0.1",
    metricsPort: input.metricsPort,
    metricsToken: input.metricsToken,
    realtime: input.realtime ?? true,
    keyRequired: input.keyRequired ?? true,
    apiKeyInQuery: input.apiKeyInQuery ?? true,
    connectTimeoutMs: input.connectTimeoutMs ?? 5_000,
    pingIntervalMs: input.pingIntervalMs ?? 25_000,
    pingTimeoutMs: input.pingTimeoutMs ?? 20_000,
    maxPendingPerAddress: input.maxPendingPerAddress ?? 256,
    maxConnections: input.maxConnections ?? 0,
    maxConnectionsPerAddress: input.maxConnectionsPerAddress ?? 20_000,
    maxConnectionsPerKey: input.maxConnectionsPerKey ?? 0,
    maxOutboundBytes: input.maxOutboundBytes ?? 1024 * 1024,
    maxUnreadMs: input.maxUnreadMs ?? 10_000,
    overload: input.overload === false ? false : Object.freeze({ ...DEFAULT_THRESHOLDS, ...input.overload }),
    maxPresenceDeliveriesPerSecond: input.maxPresenceDeliveriesPerSecond ?? 10_000,
    maxTcpConnections: input.maxTcpConnections ?? 0,
    maxUnsentHttpBytes: input.maxUnsentHttpBytes ?? 64 * 1024 * 1024,
    maxRequestsPerSecond: input.maxRequestsPerSecond ?? 20_000,
    maxReceivedBytesPerSecond: input.maxReceivedBytesPerSecond ?? 64 * 1024 * 1024,
    ...budgetsOf(input),
    endpointPrefix: input.endpointPrefix ?? "/api",
    endpoints: Object.freeze([...(input.endpoints ?? [])]),
    channels: Object.freeze([...(input.channels ?? [])]),
    logLevel: input.logLevel ?? "info",
  });
}

/** Under which browsers on this machine reach the public listener. */
export function localOrigins(port: number): readonly string[] {
  return ["localhost", "127.0.0.1"].map((name) => new URL(`http://${name}:${port}`).origin);
}

async function readFile({ folder, file }: ConfigSources): Promise<object> {
  if (folder === undefined && file === undefined) return {};
  try {
    const { config } = await loadFile({
      name: "sluice",
      cwd: folder ?? ".",
      configFile: file ?? "sluice.config",
      configFileRequired: file !== undefined,
      rcFile: false,
      globalRc: false,
      packageJson: false,
      dotenv: false,
      envName: false,
      extend: false,
    });
    if (typeof config !== "object" || config === null || Array.isArray(config)) {
      throw new TypeError("it exports no object of settings");
    }
    return config;
  } catch (error) {
    throw new ConfigError(
      `the config file cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  // The name that counts comes after its alias.
  const names: Readonly<Record<string, keyof Config>> = { ...ENVIRONMENT_ALIASES, ...ENVIRONMENT };
  const { known, unknown } = settingVariables(environment, names);
  if (unknown.length > 0)
    throw new ConfigError(
      `${unknown.join(", ")} in the environment ${unknown.length === 1 ? "is no setting" : "are no settings"} of Sluice: docs/configuration.md lists them`,
    );
  const settings: Record<string, unknown> = {};
  for (const [variable, name] of Object.entries(names)) {
    const text = known.get(variable);
    if (text !== undefined) settings[name] = parseText(name, text, variable);
  }
  return settings;
}

/** Text from an environment variable or a flag, as the type of its setting. @throws ConfigError */
export function parseText(name: keyof Config, text: string, source: string): unknown {
  const isNumber = name.startsWith("max") || NUMBERS.has(name);
  if (isNumber) {
    if (!/^[0-9]{1,12}(\.[0-9]{1,6})?$/.test(text))
      throw new ConfigError(`${source}: "${text}" is not a number`);
    return Number(text);
  }
  if (["realtime", "keyRequired", "apiKeyInQuery"].includes(name)) {
    if (["true", "1", "yes", "on", "enabled"].includes(text)) return true;
    if (["false", "0", "no", "off", "disabled"].includes(text)) return false;
    throw new ConfigError(`${source}: "${text}" is neither true nor false`);
  }
  if (name === "trustedProxies" || name === "publicOrigins")
    return text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  return text;
}

function assertSettings(input: object): asserts input is ConfigInput {
  for (const [name, value] of Object.entries(input)) {
    const fault = settingFault(name, value);
    if (fault !== undefined) throw new ConfigError(fault);
    if (name === "publicOrigin")
      throw new ConfigError('"publicOrigin" means "publicOrigins" with one of them: set only one of the two');
  }
}

function defined(input: object): object {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}
