import { type Config, environmentOf, type SettingInEffect, sourceOf } from "./config.ts";
import { SETTING_DESCRIPTIONS } from "./setting-descriptions.ts";

/** Every setting with its value and where that comes from, as it may be shown: without a secret. */
export function settingsInEffect(
  config: Config,
  publicOrigins: readonly string[],
): readonly SettingInEffect[] {
  return namesOf(SETTING_DESCRIPTIONS).map((name) => ({
    name,
    value: shown(name, { ...config, publicOrigins }),
    source: sourceOf(config, name),
    environment: environmentOf(name) ?? null,
    description: SETTING_DESCRIPTIONS[name],
  }));
}

function shown(name: keyof Config, config: Config): unknown {
  if (name === "adminToken" || name === "metricsToken") return config[name] === undefined ? "not set" : "set";
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

function namesOf(record: Readonly<Record<keyof Config, unknown>>): readonly (keyof Config)[] {
  return Object.keys(record).filter((name): name is keyof Config => name in SETTING_DESCRIPTIONS);
}
