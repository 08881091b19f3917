import { PUBLIC_ORIGIN } from "./setting-aliases.ts";
import { isSettingName, rowOf } from "./settings-table.ts";

/** Why a value cannot be that of a setting of the configuration. */
export function settingFault(name: string, value: unknown): string | undefined {
  if (name === "publicOrigin") return PUBLIC_ORIGIN.problem(name, value);
  if (!isSettingName(name)) return `"${name}" is not a setting of Sluice`;
  return rowOf(name).problem(name, value);
}
