import { shareOfMemory } from "./lib/memory-share.ts";

/** About what a channel without members takes, its name of medium length included, and an id with its position. */
const IDLE_CHANNEL_BYTES = 600;
const MESSAGE_ID_BYTES = 500;

/** What a process of this size keeps, where the configuration does not say: see docs/configuration.md. */
export function defaultBudgets() {
  return {
    maxHistoryBytes: shareOfMemory(3 / 16, 256 * 1024 * 1024),
    maxWaitingBytes: shareOfMemory(1 / 8, 256 * 1024 * 1024),
    maxIdleChannels: shareOfMemory(1 / 32, 100_000, IDLE_CHANNEL_BYTES),
    maxMessageIds: shareOfMemory(1 / 32, 100_000, MESSAGE_ID_BYTES),
  } as const;
}
