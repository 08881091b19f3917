import { isIP } from "node:net";

/** Why a text is no origin as browsers write it; undefined when it is one. */
export function originProblem(name: string, value: unknown): string | undefined {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && ["http:", "https:"].includes(url.protocol) && url.origin === value)
    return undefined;
  return `"${name}": ${JSON.stringify(value)} is not an origin such as https://rt.example.com`;
}

/** What is wrong with the first of several origins that cannot be used. */
export function originsProblem(name: string, value: unknown): string | undefined {
  const origins: readonly unknown[] = Array.isArray(value) ? value : [];
  return origins.map((origin) => originProblem(name, origin)).find((problem) => problem !== undefined);
}

/** Why a text is neither an IP address nor a host name; undefined when it is one. */
export function hostProblem(name: string, value: unknown): string | undefined {
  const isHost =
    typeof value === "string" &&
    (isIP(value) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value));
  return isHost ? undefined : `"${name}": ${JSON.stringify(value)} is not a host`;
}

/** A later stage of overload must not begin before an earlier one. */
export function stagesProblem(name: string, value: unknown): string | undefined {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  for (const [resource, stages] of entries) {
    const values: readonly unknown[] = Array.isArray(stages) ? stages : [];
    const isRising = values.every((one, index) => index === 0 || Number(one) >= Number(values[index - 1]));
    if (!isRising) return `"${name}": the values of ${resource} do not rise from stage to stage`;
  }
  return undefined;
}
