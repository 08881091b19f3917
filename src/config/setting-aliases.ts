import { Type } from "typebox";
import { optionalSetting } from "./setting.ts";
import { originProblem } from "./value-problems.ts";

/** Environment variables by another name than their setting's own. */
export const ENVIRONMENT_ALIASES = { SLUICE_PUBLIC_ORIGIN: "publicOrigins" } as const;

/** The alias of `publicOrigins` for one of them. */
export const PUBLIC_ORIGIN = optionalSetting({
  schema: Type.String({ minLength: 1 }),
  problem: originProblem,
  help: "The one origin under which browsers reach the public listener.",
  defaultText: "see `publicOrigins`",
});

/**
 * Settings of one source with `publicOrigin` in its present form, a list of one. A value that is no origin stays where it
 * is, so that the check names the setting that its author wrote. A source that names both has its faulty alias kept.
 */
export function withoutAliases(layer: object): object {
  if (!("publicOrigin" in layer) || layer.publicOrigin === undefined) return layer;
  const { publicOrigin, ...rest } = layer;
  const isBoth = "publicOrigins" in rest && rest.publicOrigins !== undefined;
  if (isBoth || PUBLIC_ORIGIN.problem("publicOrigin", publicOrigin) !== undefined) return layer;
  return { ...rest, publicOrigins: [publicOrigin] };
}
