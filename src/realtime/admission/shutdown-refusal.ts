import { type Refusal, refuse } from "../../protocol/index.ts";

/** About a thousand clients a second come back, and the last of them after half a minute. */
const SPREAD_PER_CONNECTION_MS = 1;
const MIN_SPREAD_MS = 5_000;
const MAX_SPREAD_MS = 30_000;

/**
 * The server stops: each client is told another time to wait, so that all of them do not come back to its successor in the same second.
 *
 * @param connections how many are told
 */
export function refuseStopping(connections: number): Refusal {
  const spreadMs = Math.min(MAX_SPREAD_MS, Math.max(MIN_SPREAD_MS, connections * SPREAD_PER_CONNECTION_MS));
  return refuse("server_shutdown", undefined, Math.round(Math.random() * spreadMs));
}
