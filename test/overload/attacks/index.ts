import type { Attack } from "./attack.ts";
import { CHANNEL_ATTACKS } from "./channels.ts";
import { CONNECTION_ATTACKS } from "./connections.ts";
import { PRESENCE_ATTACKS } from "./presence.ts";
import { REQUEST_ATTACKS } from "./requests.ts";

export const ATTACKS: ReadonlyMap<string, Attack> = new Map([
  ...CONNECTION_ATTACKS,
  ...REQUEST_ATTACKS,
  ...CHANNEL_ATTACKS,
  ...PRESENCE_ATTACKS,
]);
