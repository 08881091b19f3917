import { loadConfig as loadFile } from "c12";
import { Type } from "typebox";
import { settingVariables } from "./environment-variables.ts";
import { givenOf } from "./listener-settings.ts";
import { ENVIRONMENT_ALIASES, withoutAliases } from "./setting-aliases.ts";
import { settingFault } from "./setting-fault.ts";
import { type Config, type ConfigInput, rowOf, SETTING_NAMES, type SettingName } from "./settings-table.ts";

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
export { localOrigins } from "./listener-settings.ts";
export type { Config, ConfigInput } from "./settings-table.ts";

/** The setting of each environment variable. */
const ENVIRONMENT: ReadonlyMap<string, SettingName> = new Map(
  SETTING_NAMES.flatMap((name) => {
    const variable = rowOf(name).environment;
    return variable === undefined ? [] : [[variable, name] as const];
  }),
);

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
export function environmentOf(name: SettingName): string | undefined {
  return rowOf(name).environment;
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
  const given = givenOf(input);
  const inputs: Readonly<Record<string, unknown>> = input;
  const config = Object.fromEntries(
    SETTING_NAMES.map((name) => [name, rowOf(name).resolve(inputs[name], given)] as const),
  );
  assertEachSetting(config);
  return Object.freeze(config);
}

/** Each value has the type of its row, since `resolve` parsed it; what remains to be seen is that none is missing. */
function assertEachSetting(config: object): asserts config is Config {
  const missing = SETTING_NAMES.filter((name) => !Object.hasOwn(config, name));
  if (missing.length > 0) throw new TypeError(`these settings have no value: ${missing.join(", ")}`);
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
  const names: Readonly<Record<string, SettingName>> = {
    ...ENVIRONMENT_ALIASES,
    ...Object.fromEntries(ENVIRONMENT),
  };
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
export function parseText(name: SettingName, text: string, source: string): unknown {
  const { schema } = rowOf(name);
  if (Type.IsInteger(schema) || Type.IsNumber(schema)) {
    if (!/^[0-9]{1,12}(\.[0-9]{1,6})?$/.test(text))
      throw new ConfigError(`${source}: "${text}" is not a number`);
    return Number(text);
  }
  if (Type.IsBoolean(schema)) {
    if (["true", "1", "yes", "on", "enabled"].includes(text)) return true;
    if (["false", "0", "no", "off", "disabled"].includes(text)) return false;
    throw new ConfigError(`${source}: "${text}" is neither true nor false`);
  }
  if (Type.IsArray(schema))
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
