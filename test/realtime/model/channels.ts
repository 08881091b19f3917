import type { Since } from "./plan.ts";
import type { Position } from "./trace.ts";

/** The channels' suffixes, and how many messages each keeps: the server's configuration must say the same. */
export const WINDOWS = [
  { suffix: "deep", window: 1_000 },
  { suffix: "tiny", window: 4 },
  { suffix: "none", window: 0 },
];

/** The position that a join says, by where the client really is. */
export function sinceOf(known: Position | undefined, since: Since): Position | undefined {
  if (since === "none" || known === undefined) return undefined;
  const { epoch, offset } = known;
  if (since === "older") return { epoch, offset: Math.max(0, offset - 3) };
  if (since === "start") return { epoch, offset: 0 };
  if (since === "foreign") return { epoch: "another", offset };
  return since === "ahead" ? { epoch, offset: offset + 1_000 } : { epoch, offset };
}
