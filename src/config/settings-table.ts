import type { OverloadThresholds } from "../overload/index.ts";
import { APPLICATION_SETTINGS } from "./application-settings.ts";
import { CONNECTION_SETTINGS } from "./connection-settings.ts";
import { LISTENER_SETTINGS } from "./listener-settings.ts";
import { MEMORY_SETTINGS } from "./memory-settings.ts";
import type { Setting } from "./setting.ts";

/**
 * Every setting, one row each, in the order in which they are shown. The types, the checks, the environment variables,
 * `sluice start --help`, the settings in effect and the table of docs/configuration.md come from it: a new setting is a row
 * here, `npm run docs:settings`, and its use.
 */
export const SETTINGS = {
  ...LISTENER_SETTINGS,
  ...CONNECTION_SETTINGS,
  ...MEMORY_SETTINGS,
  ...APPLICATION_SETTINGS,
};

/** Everything that decides how a server runs. What is absent in a file has its default. */
export type Config = {
  readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name] extends Setting<infer Value>
    ? Value
    : never;
};

export type SettingName = keyof Config;

export type ConfigInput = Partial<Omit<Config, "overload">> & {
  /** Resources that are not named keep their defaults. */
  readonly overload?: Partial<OverloadThresholds> | false;
  /** The same as `publicOrigins` with one of them. */
  readonly publicOrigin?: string;
};

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** The names of all settings, in the order of the table. */
export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS).filter(isSettingName);

/** The row of a setting, whatever its value. */
export function rowOf(name: SettingName): Setting<unknown> {
  return SETTINGS[name];
}
