import {
  checkEndpointEntries,
  type DeclaredEndpoint,
  type Fault,
  PolicyError,
  parseSettings,
  type Settings,
} from "../policy/index.ts";

export type ReadSettings =
  | { readonly settings: Settings; readonly warnings: readonly Fault[] }
  | { readonly faults: readonly Fault[] };

/** Settings as somebody sent them, compared with the declared endpoints: normalised, or every fault. */
export function readSettings(input: unknown, endpoints: readonly DeclaredEndpoint[]): ReadSettings {
  try {
    const settings = parseSettings(input);
    const { faults, warnings } = checkEndpointEntries(settings, endpoints);
    return faults.length > 0 ? { faults } : { settings, warnings };
  } catch (error) {
    if (error instanceof PolicyError) return { faults: error.faults };
    throw error;
  }
}

/** The settings that differ between two versions, for the audit. */
export function differences(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): { readonly before: unknown; readonly after: unknown } {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const pick = (from: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(changed.map((name) => [name, from[name] ?? null]));
  return { before: pick(before), after: pick(after) };
}
