import { type Config, environmentOf, type SettingInEffect, sourceOf } from "./config.ts";
import { rowOf, SETTING_NAMES, type SettingName } from "./settings-table.ts";

/** Every setting with its value and where that comes from, as it may be shown: without a secret. */
export function settingsInEffect(
  config: Config,
  publicOrigins: readonly string[],
): readonly SettingInEffect[] {
  return SETTING_NAMES.map((name) => ({
    name,
    value: shown(name, { ...config, publicOrigins }),
    source: sourceOf(config, name),
    environment: environmentOf(name) ?? null,
    description: rowOf(name).help,
  }));
}

function shown(name: SettingName, config: Config): unknown {
  if (rowOf(name).isSecret === true) return config[name] === undefined ? "not set" : "set";
  if (name === "endpoints") return config.endpoints.map(({ method, path }) => `${method} ${path}`);
  const value = config[name];
  return typeof value === "string" ? withoutPassword(value) : (value ?? null);
}

/** A store's URL may carry a password. */
function withoutPassword(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.password === "" && url.username === "") return text;
  if (url.password !== "") url.password = "***";
  if (url.username !== "") url.username = "***";
  return url.href;
}
