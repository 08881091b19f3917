import { type Refusal, refuse } from "../protocol/index.ts";

/**
 * How far this node protects itself: 0 nothing, 1 no new connections, 2 also no new memberships and no large publishes,
 * 3 also the connections of whoever weighs most are closed until the pressure falls.
 */
export type OverloadStage = 0 | 1 | 2 | 3;

export const OVERLOAD_RESOURCES = ["heap", "memory", "loopDelay", "descriptors"] as const;
export type OverloadResource = (typeof OVERLOAD_RESOURCES)[number];

/** What the hot paths look at: one property. */
export interface OverloadState {
  readonly stage: OverloadStage;
}

/** For whoever runs without a guard. */
export const NO_OVERLOAD: OverloadState = Object.freeze({ stage: 0 });

/** Publishes above this are refused from stage 2 on. */
export const LARGE_PUBLISH_BYTES = 16 * 1024;

/** When the refused may try again: later for some than for others, so that they do not all come back at once. */
const RETRY_MIN_MS = 1_000;
const RETRY_SPREAD_MS = 4_000;

/** A refusal with `overloaded` and a time to wait that differs from one to the next. */
export function refuseOverloaded(message?: string, spreadMs: number = RETRY_SPREAD_MS): Refusal {
  return refuse("overloaded", message, Math.round(RETRY_MIN_MS + Math.random() * spreadMs));
}

/** Why a new connection is refused now, if it is. */
export function connectionRefusal({ stage }: OverloadState): Refusal | undefined {
  return stage < 1 ? undefined : refuseOverloaded();
}

/** Why a new membership is refused now, if it is. */
export function joinRefusal({ stage }: OverloadState): Refusal | undefined {
  return stage < 2 ? undefined : refuseOverloaded("the server is overloaded: join a little later");
}

/** Why a publish of so many bytes is refused now, if it is. */
export function publishRefusal({ stage }: OverloadState, bytes: number): Refusal | undefined {
  if (stage < 2 || bytes <= LARGE_PUBLISH_BYTES) return undefined;
  return refuseOverloaded("the server is overloaded and takes small messages only: try again a little later");
}
