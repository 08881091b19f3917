export { createGate } from "./audited-gate.ts";
export type * from "./connection-registry.ts";
export { Gate } from "./gate.ts";
export type * from "./gate-types.ts";
export { type Charge, redeem } from "./limits/index.ts";
export type { LiveKey } from "./live-keys.ts";
export { type KeySources, type PresentedKey, presentedKey } from "./presented-key.ts";
